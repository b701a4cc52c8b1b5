"""The decider of the signing keys.

A generation is announced before it signs, so that programs with a copy of the public keys have it by then.
Its signatures are accepted for as long as a token that it signed may be valid: rotation logs nobody out.
"""

from msgspec import Struct

from domain.actor import Actor
from domain.policy import permit
from domain.signing.commands import RotateSigningKey
from domain.signing.events import SigningKeyRotated


class Signing(Struct, frozen=True, kw_only=True):
    """The announced generations, from the first, each with its time in milliseconds since the epoch."""

    announced: tuple[tuple[int, int], ...]

    @property
    def last(self) -> int:
        """Return the newest generation."""
        return self.announced[-1][0]

    def signs(self, at: int, delay: int) -> int:
        """Return the generation that signs at *at*; each begins *delay* ms after its announcement."""
        return max(number for number, since in self.announced if number == 1 or since + delay <= at)

    def verifies(self, at: int, delay: int, longest: int) -> tuple[int, ...]:
        """Return the generations whose signatures are valid at *at*; tokens are valid for *longest* ms."""
        ends = [since + delay + longest for _, since in self.announced[1:]]  # the next one has begun to sign
        return tuple(
            number
            for index, (number, _) in enumerate(self.announced)
            if index >= len(ends) or at < ends[index]
        )


INITIAL = Signing(announced=((1, 0),))


def decide(signing: Signing, command: RotateSigningKey, actor: Actor) -> tuple[SigningKeyRotated, ...]:
    """Return the events that *command* causes, or refuse it."""
    permit(actor, command.NAME)
    return (SigningKeyRotated(generation=signing.last + 1, at=command.at),)


def evolve(signing: Signing, event: SigningKeyRotated) -> Signing:
    """Return the generations after *event*."""
    return Signing(announced=(*signing.announced, (event.generation, event.at)))
