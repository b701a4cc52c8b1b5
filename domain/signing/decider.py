"""What may happen to the signing keys.

A generation is announced before it signs, so that who keeps a copy of the public keys has it by then, and is
verified with for as long as anything that it signed may be good: rotation logs nobody out.
"""

from msgspec import Struct

from domain.actor import Actor
from domain.policy import permit
from domain.signing.commands import RotateSigningKey
from domain.signing.events import SigningKeyRotated


class Signing(Struct, frozen=True, kw_only=True):
    """The generations announced so far, each with its time in milliseconds since the epoch; the first is always there."""

    announced: tuple[tuple[int, int], ...]

    @property
    def last(self) -> int:
        """Return the youngest generation."""
        return self.announced[-1][0]

    def signs(self, at: int, delay: int) -> int:
        """Return the generation that signs at the time *at*, each beginning *delay* ms after its announcement."""
        return max(number for number, since in self.announced if number == 1 or since + delay <= at)

    def verifies(self, at: int, delay: int, longest: int) -> tuple[int, ...]:
        """Return the generations whose signatures are good at *at*; what is signed lives up to *longest* ms."""
        ends = [
            since + delay + longest for _, since in self.announced[1:]
        ]  # a successor's beginning ends one
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
