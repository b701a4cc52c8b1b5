"""The command of the signing keys."""

from domain.command import Command
from domain.policy import administrator


class RotateSigningKey(Command, tag="signing.rotate", rule=administrator()):
    """Announce the next generation of the signing key; *at* is now, in milliseconds since the epoch."""

    at: int
