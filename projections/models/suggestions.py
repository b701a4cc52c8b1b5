"""The verdicts on suggestions."""

from collections.abc import Iterable

from domain.record import Record
from domain.suggestion.events import SuggestionAccepted, SuggestionDismissed
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Put, Write

SUGGESTIONS = "suggestions"


def _accepted(event: SuggestionAccepted, _: Record) -> Iterable[Write]:
    return (_verdict(event.project_id, event.suggestion_id, "accepted"),)


def _dismissed(event: SuggestionDismissed, _: Record) -> Iterable[Write]:
    return (_verdict(event.project_id, event.suggestion_id, "dismissed"),)


def _verdict(project_id: str, suggestion_id: str, status: str) -> Write:
    id_ = f"{project_id}/{suggestion_id}"
    document = {"id": id_, "projectId": project_id, "suggestionId": suggestion_id, "status": status}
    return Put(SUGGESTIONS, id_, document)


MODEL = read_model(
    SUGGESTIONS,
    {SuggestionAccepted: _accepted, SuggestionDismissed: _dismissed},
    Collection(name=SUGGESTIONS, indexes=(("projectId",),)),
    answers_commands=True,
)
