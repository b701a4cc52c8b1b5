"""The decider of suggestions; people may change their minds."""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from domain.actor import Actor
from domain.limits import ID_LENGTH
from domain.project.access import ProjectAccess, require
from domain.suggestion.commands import AcceptSuggestion, DismissSuggestion, SuggestionCommand
from domain.suggestion.events import SuggestionAccepted, SuggestionDismissed, SuggestionEvent
from domain.text import checked_line


class Verdict(StrEnum):
    """The verdict on a suggestion."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


class Suggestion(Struct, frozen=True, kw_only=True):
    """The state of a suggestion; whether it exists is known to the insights, not to the log."""

    verdict: Verdict


INITIAL = Suggestion(verdict=Verdict.OPEN)


def decide(
    project: ProjectAccess, suggestion: Suggestion, command: SuggestionCommand, actor: Actor
) -> tuple[SuggestionEvent, ...]:
    """Return the events that *command* causes, or refuse it."""
    require(project, actor, command.NAME)
    suggestion_id = checked_line(command.suggestion_id, pointer="/suggestionId", longest=ID_LENGTH)
    match command:
        case AcceptSuggestion(project_id=project_id):
            if suggestion.verdict is Verdict.ACCEPTED:
                return ()
            return (SuggestionAccepted(project_id=project_id, suggestion_id=suggestion_id),)
        case DismissSuggestion(project_id=project_id):
            if suggestion.verdict is Verdict.DISMISSED:
                return ()
            return (SuggestionDismissed(project_id=project_id, suggestion_id=suggestion_id),)
        case _:
            assert_never(command)


def evolve(
    suggestion: Suggestion,  # noqa: ARG001 # an event determines the state alone
    event: SuggestionEvent,
) -> Suggestion:
    """Return the suggestion after *event*."""
    match event:
        case SuggestionAccepted():
            return Suggestion(verdict=Verdict.ACCEPTED)
        case SuggestionDismissed():
            return Suggestion(verdict=Verdict.DISMISSED)
        case _:
            assert_never(event)
