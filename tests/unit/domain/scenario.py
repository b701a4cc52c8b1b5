"""Given what happened, when somebody asks for something, then this happens or it is refused."""

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
    """What a decider made of a command."""

    def __init__(self, decide: Callable[[], tuple[Event, ...]]) -> None:
        self._decide = decide

    def then(self, *events: Event) -> None:
        """Check that exactly *events* happen."""
        assert self._decide() == events

    def events(self) -> tuple[Event, ...]:
        """Return what happens."""
        return self._decide()

    def refused(self, code: str, pointer: str | None = None) -> str:
        """Check that the command is refused, and return the sentence that says why."""
        with pytest.raises(Refusal) as caught:
            self._decide()
        assert (caught.value.specific_code, caught.value.pointer) == (code, pointer)
        return caught.value.message


class Given:
    """A state that some events left."""

    def __init__(self, decider: ModuleType, state: Any, project: ProjectAccess | None) -> None:
        self._decider, self._state, self._project = decider, state, project

    def when(self, command: Command, actor: Actor) -> Outcome:
        """Let *actor* ask for *command*."""
        around = () if self._project is None else (self._project,)
        return Outcome(lambda: self._decider.decide(*around, self._state, command, actor))


def given(decider: ModuleType, *events: Event, project: ProjectAccess | None = None) -> Given:
    """Start from what *events* leave, within *project* where the decider asks for one."""
    return Given(decider, reduce(decider.evolve, events, decider.INITIAL), project)
