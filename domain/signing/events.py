"""The event of the signing keys."""

from domain.event import Event


class SigningKeyRotated(
    Event,
    topic="signing.rotated",
    version=1,
    withheld="concerns the keys of the installation; they are public as a JSON Web Key Set",
):
    """The next generation of the signing key was announced *at* this time (milliseconds since the epoch)."""

    generation: int
    at: int
