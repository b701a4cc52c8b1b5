"""The one filter language of events: for pages, live channels, GraphQL and the command line.

A filter is what the parameters `type`, `stream`, `projects`, `actor`, `from` and `until` say. Each of the
first four takes one name or several, separated by commas; an event passes that has one of the names of each,
and whose time is not before `from` and not after `until`.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from commands.aggregates import STREAM_KINDS, kind_name
from commands.log import Selection
from domain.errors import InvalidError
from domain.event import event_topics
from domain.near_names import did_you_mean
from domain.times import parse_rfc3339

MOST_NAMES = 100
_TIME = "write an RFC 3339 time with its offset, such as 2026-01-31T12:00:00Z"

Names = str | Sequence[str] | None
"""Names separated by commas, or one after the other; None for all."""


class EventFilter(Struct, frozen=True, kw_only=True):
    """Which events pass; None stands for all. Times are in milliseconds since the epoch."""

    topics: frozenset[str] | None = None
    streams: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    actors: frozenset[str] | None = None
    since: int | None = None
    until: int | None = None

    def passes(self, *, topic: str, stream: str, home: str, actor: str, occurred_at: int) -> bool:
        """Return whether an event with these properties passes; *home* is the id of its project."""
        return (
            (self.topics is None or topic in self.topics)
            and (self.projects is None or home in self.projects)
            and (self.streams is None or stream in self.streams)
            and (self.actors is None or actor in self.actors)
            and (self.since is None or occurred_at >= self.since)
            and (self.until is None or occurred_at <= self.until)
        )

    def selection(self, *, names_are_stored: bool = True, newest_first: bool = False) -> Selection:
        """Return what the log can select by; times are left to a search for their place in the log.

        Where *names_are_stored* is false, the names are those of the public topics, which the log lacks.
        """
        if not names_are_stored:
            return Selection(topics=_sorted(self.topics), newest_first=newest_first)
        return Selection(
            topics=_sorted(self.topics),
            streams=_sorted(self.streams),
            homes=_sorted(self.projects),
            actors=_sorted(self.actors),
            newest_first=newest_first,
        )


EVERY_EVENT = EventFilter()


def event_filter(
    *,
    types: Names = None,
    streams: Names = None,
    projects: Names = None,
    actors: Names = None,
    since: str | None = None,
    until: str | None = None,
) -> EventFilter:
    """Return the filter that these parameters describe; raises InvalidError that says what to write."""
    chosen = EventFilter(
        topics=_names(types, "type"),
        streams=_names(streams, "stream"),
        projects=_names(projects, "projects"),
        actors=_names(actors, "actor"),
        since=_time(since, "from"),
        until=_time(until, "until"),
    )
    _check_known(chosen.topics, event_topics(), "type", "type of event")
    kinds = {kind_name(stream) for stream in chosen.streams or ()}
    _check_known(kinds, sorted(STREAM_KINDS), "stream", "kind of stream")
    if chosen.since is not None and chosen.until is not None and chosen.since > chosen.until:
        raise InvalidError("from is after until: swap them", code="invalid_input", pointer="/from")
    return chosen


def descending(order: str | None) -> bool:
    """Return whether *order* is that of the newest event first; raises InvalidError."""
    if order not in (None, "asc", "desc"):
        raise InvalidError(
            "order takes asc, the oldest event first, or desc", code="invalid_input", pointer="/order"
        )
    return order == "desc"


def _names(given: Names, name: str) -> frozenset[str] | None:
    """Return the names that a parameter lists, None for all."""
    if given is None:
        return None
    listed = [given] if isinstance(given, str) else given
    names = frozenset(part for text in listed for part in text.split(","))
    if not all(names) or not names:
        raise InvalidError(
            f"{name} takes one name or several, separated by commas", code="invalid_input", pointer=f"/{name}"
        )
    if len(names) > MOST_NAMES:
        raise InvalidError(f"{name} takes up to {MOST_NAMES} names", code="invalid_input", pointer=f"/{name}")
    return names


def _check_known(names: Iterable[str] | None, known: Sequence[str], parameter: str, what: str) -> None:
    for name in sorted(names or ()):
        if name not in known:
            raise InvalidError(
                f"there is no {what} {name}: {did_you_mean(name, known)}",
                code="invalid_input",
                pointer=f"/{parameter}",
            )


def _time(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    try:
        return parse_rfc3339(text.replace(" ", "+"))  # a query has + as a blank
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"{name}: {_TIME}", code="invalid_input", pointer=f"/{name}") from error


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))
