"""The figures of the business: who was active on which day, and what was done.

Nothing here counts: a document stands for one thing that is counted once, and an index counts documents. A
person who is active has a document for the day and one for the month, under a name that is made from the
period and the account: the account cannot be read from it, nor can two days of a person be linked, so that
an erasure has nothing to remove. Whichever events of the period write it write the same document.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from domain.build.events import BuildQueued
from domain.commit.events import CommitRecorded
from domain.event import Event
from domain.identifiers import derived_uuid
from domain.log.events import CommandRefused, CommandUnchanged, LogFenced
from domain.project.events import ProjectCreated
from domain.record import Record
from domain.registry import EVENTS
from domain.review.events import ReviewDecided, ReviewOpened
from domain.session.events import SessionOpened
from domain.suggestion.events import SuggestionAccepted
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Put, PutOnce, Write

BUSINESS: Final = "business"
ACTIVE_PEOPLE: Final = "active_people"
DONE: Final = "business_events"

FIGURES: Final[dict[str, type[Event]]] = {
    "projectsCreated": ProjectCreated,
    "commitsRecorded": CommitRecorded,
    "reviewsOpened": ReviewOpened,
    "reviewsDecided": ReviewDecided,
    "builds": BuildQueued,
    "suggestionsAccepted": SuggestionAccepted,
}
"""The figures of what was done, and the events that each counts."""

_NAMES = {cls: name for name, cls in FIGURES.items()}
_OF_THE_LOG = (CommandRefused, CommandUnchanged, LogFenced)
_SERVICE = "service:"
_DAY, _MONTH = len("2026-01-31"), len("2026-01")


def day_figure(name: str, day: str) -> str:
    """Return the value by which a figure of a day is counted."""
    return f"{day}/{name}"


@lru_cache(maxsize=10_000)  # a person who works causes many events in a day
def _presence(period: str, account: str) -> PutOnce:
    id_ = derived_uuid("active", period, account)
    return PutOnce(ACTIVE_PEOPLE, id_, {"id": id_, "period": period})


def _active(event: Any, record: Record) -> Iterable[Write]:
    account = event.account_id if isinstance(event, SessionOpened) else record.actor
    if not account or account.startswith(_SERVICE):
        return ()
    moment = rfc3339(record.occurred_at)
    return (_presence(moment[:_DAY], account), _presence(moment[:_MONTH], account))


def _done(event: Any, record: Record) -> Iterable[Write]:
    id_ = f"{event.project_id}/{record.stream}/{record.version}"
    figure = day_figure(_NAMES[type(event)], rfc3339(record.occurred_at)[:_DAY])
    return (*_active(event, record), Put(DONE, id_, {"id": id_, "figure": figure}))


_HANDLERS: dict[type[Event], Callable[[Any, Record], Iterable[Write]]] = {
    **{cls: _active for cls in EVENTS if cls not in _OF_THE_LOG},
    **dict.fromkeys(_NAMES, _done),
}

MODEL = read_model(
    BUSINESS,
    _HANDLERS,
    Collection(name=ACTIVE_PEOPLE, indexes=(("period",),)),
    Collection(name=DONE, indexes=(("figure",),)),
)
