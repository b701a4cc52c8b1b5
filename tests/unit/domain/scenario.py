"""Given these events, when an actor sends a command, then these events follow or it is refused."""

from collections.abc import Callable
from functools import reduce
from types import ModuleType
from typing import Any

import pytest

from domain.actor import Actor
from domain.command import Command
from domain.errors import Refusal
from domain.event import Event
from domain.project.access import ProjectAccess


class Outcome:
    """The decision about a command: events or a refusal."""

    def __init__(self, decide: Callable[[], tuple[Event, ...]]) -> None:
        self._decide = decide

    def then(self, *events: Event) -> None:
        """Check that exactly *events* follow."""
        assert self._decide() == events

    def events(self) -> tuple[Event, ...]:
        """Return the events that follow."""
        return self._decide()

    def refused(self, code: str, pointer: str | None = None) -> str:
        """Check that the command is refused, and return the sentence that says why."""
        with pytest.raises(Refusal) as caught:
            self._decide()
        assert (caught.value.specific_code, caught.value.pointer) == (code, pointer)
        return caught.value.message


class Given:
    """The state after some events."""

    def __init__(self, decider: ModuleType, state: Any, project: ProjectAccess | None) -> None:
        self._decider, self._state, self._project = decider, state, project

    def when(self, command: Command, actor: Actor) -> Outcome:
        """Decide *command* for *actor*."""
        around = () if self._project is None else (self._project,)
        return Outcome(lambda: self._decider.decide(*around, self._state, command, actor))


def given(decider: ModuleType, *events: Event, project: ProjectAccess | None = None) -> Given:
    """Start from the state after *events*, within *project* where the decider takes one."""
    return Given(decider, reduce(decider.evolve, events, decider.INITIAL), project)
