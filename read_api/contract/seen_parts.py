"""Which records of the log a page of events reads for a caller who does not see a project's whole history.

A page ends after some records and megabytes, so that its end would tell of what is not seen. If the page is
about one project, that is left out before it counts; a stream that the caller does not see counts as none.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from commands.log import EventLog, Selection
from commands.partitions import Logs
from domain.project.private_time import SeenHistory
from domain.record import Record
from read_api.contract.event_ranges import Range

Records = Iterator[tuple[EventLog, Record]]

_NO_STREAM = ("",)


def seen_parts(lower: int, upper: int, history: SeenHistory) -> list[tuple[int, int]]:
    """Return the parts of the records above *lower* and up to *upper* that *history* includes, in order."""
    parts = []
    for first, end in sorted(history.private, key=lambda span: span[0]):
        parts.append((lower, min(first - 1, upper)))
        lower = upper if end is None else max(lower, end - 1)
    parts.append((lower, upper))
    return [(after, last) for after, last in parts if after < last]


def records(
    logs: Logs[Any], part: Range, selection: Selection, only: int | None, history: SeenHistory
) -> Records:
    """Return the records of *part* that *history*, of the partition *only*, includes: the oldest first."""
    if only is None or not history.private:
        return logs.records(part.lower, selection, through=part.upper, only=only)
    parts = seen_parts(part.lower[only], part.upper[only], history)
    return chain.from_iterable(
        logs.records({only: after}, selection, through={only: last}, only=only) for after, last in parts
    )


def records_back(
    logs: Logs[Any], part: Range, selection: Selection, only: int | None, history: SeenHistory
) -> Records:
    """Return what `records` returns, the newest first, as *selection* is."""
    if only is None or not history.private:
        left = {number: last + 1 for number, last in part.upper.items()}
        return logs.records_before(left, selection, down_to=part.lower, only=only)
    parts = seen_parts(part.lower[only], part.upper[only], history)
    return chain.from_iterable(
        logs.records_before({only: last + 1}, selection, down_to={only: after}, only=only)
        for after, last in reversed(parts)
    )


def seen_streams(
    logs: Logs[Any], streams: Sequence[str], history_of: Callable[[Record], SeenHistory | None]
) -> tuple[str, ...]:
    """Return those of *streams* in which a caller sees anything, by *history_of* the project of a record."""
    return tuple(each for each in streams if _is_seen(logs, each, history_of)) or _NO_STREAM


def _is_seen(logs: Logs[Any], stream: str, history_of: Callable[[Record], SeenHistory | None]) -> bool:
    selection = Selection(stream=stream, most_bytes=1)
    for log in logs:
        first = log.read(0, 1, selection)
        if not first:
            continue
        history = history_of(first[0])
        if history is None:
            return False
        parts = seen_parts(first[0].sequence - 1, log.tip().sequence, history)
        return any(
            found[0].sequence <= last for after, last in parts if (found := log.read(after, 1, selection))
        )
    return False
