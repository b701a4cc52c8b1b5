"""The decider of erasures."""

from typing import assert_never

from msgspec import Struct

from domain.actor import Actor
from domain.erasure.commands import CompleteErasure, EraseTraces, ErasureCommand
from domain.erasure.events import ErasureCompleted, ErasureEvent, TracesErased
from domain.policy import permit


class Erasure(Struct, frozen=True, kw_only=True):
    """The state of an erasure."""

    completed: bool


INITIAL = Erasure(completed=False)


def decide(erasure: Erasure, command: ErasureCommand, actor: Actor) -> tuple[ErasureEvent, ...]:
    """Return the events that *command* causes, or refuse it."""
    permit(actor, command.NAME)
    match command:
        case EraseTraces():
            return (
                TracesErased(
                    home=command.home,
                    person=command.person,
                    reviews=command.reviews,
                    comments=command.comments,
                    decisions=command.decisions,
                    commits=command.commits,
                    sessions=command.sessions,
                    tokens=command.tokens,
                ),
            )
        case CompleteErasure(account_id=account_id):
            return () if erasure.completed else (ErasureCompleted(account_id=account_id),)
        case _:
            assert_never(command)


def evolve(erasure: Erasure, event: ErasureEvent) -> Erasure:  # noqa: ARG001 # an event determines the state alone
    """Return the erasure after *event*."""
    return Erasure(completed=isinstance(event, ErasureCompleted))
