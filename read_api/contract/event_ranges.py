"""Which part of the log a page of events reads: between two times, and no more than a request may look at."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from commands.log import EventLog, Selection
from commands.partitions import Logs
from commands.position import Position, position_after
from read_api.contract.event_filter import EventFilter

ROWS = 50_000
"""How many records of each partition one page looks at where no index finds those that pass."""

Sequences = dict[int, int]


class Range(Struct, frozen=True):
    """The records above *lower* and up to *upper*, by partition."""

    lower: Sequences
    upper: Sequences


def needs_scan(selection: Selection) -> bool:
    """Return whether every record must be looked at: types and actors have no index of their own."""
    indexed = (selection.stream, selection.home, selection.streams, selection.homes)
    filtered = selection.topics is not None or selection.actors is not None
    return filtered and all(names is None for names in indexed)


def range_of(logs: Logs[Any], wanted: EventFilter, start: Mapping[int, int], tip: Mapping[int, int]) -> Range:
    """Return the range after *start*, up to *tip*, between the times of *wanted*."""
    lower, upper = {}, {}
    for log in logs:
        number = log.number
        since = 0 if wanted.since is None else log.sequence_at(wanted.since - 1)
        end = tip.get(number, 0)
        lower[number] = max(start.get(number, 0), since)
        upper[number] = end if wanted.until is None else min(end, log.sequence_at(wanted.until))
    return Range(lower, upper)


def first_part(logs: Logs[Any], whole: Range, rows: int = ROWS) -> Range:
    """Return the oldest part of *whole* that one page looks at.

    It ends at one time in every partition, so that the merged order of all pages is that of the whole.
    """
    ends = {number: min(upper, whole.lower[number] + rows) for number, upper in whole.upper.items()}
    cut = [logs[number] for number, end in ends.items() if end < whole.upper[number]]
    if not cut:
        return whole
    time = min(_time_of(log, ends[log.number]) for log in cut)
    upper = {
        log.number: min(whole.upper[log.number], max(log.sequence_at(time), whole.lower[log.number]))
        for log in logs
    }
    return Range(whole.lower, upper)


def last_part(logs: Logs[Any], whole: Range, rows: int = ROWS) -> Range:
    """Return the newest part of *whole* that one page looks at; see `first_part`."""
    ends = {number: max(lower, whole.upper[number] - rows) for number, lower in whole.lower.items()}
    cut = [logs[number] for number, end in ends.items() if end > whole.lower[number]]
    if not cut:
        return whole
    time = max(_time_of(log, ends[log.number]) for log in cut)
    lower = {log.number: max(whole.lower[log.number], log.sequence_at(time)) for log in logs}
    stuck = all(lower[number] >= upper for number, upper in whole.upper.items())
    return Range(ends if stuck else lower, whole.upper)


def position_at(logs: Logs[Any], sequences: Mapping[int, int]) -> Position:
    """Return the position after the records with these *sequences*."""
    return position_after(
        (number, sequence, _record(logs[number], sequence).chain)
        for number, sequence in sequences.items()
        if sequence > 0
    )


def before_time(logs: Logs[Any], time: int) -> Position:
    """Return the position after everything that happened before *time*."""
    return position_at(logs, {log.number: log.sequence_at(time - 1) for log in logs})


def _time_of(log: EventLog, sequence: int) -> int:
    return int(_record(log, sequence).occurred_at)


def _record(log: EventLog, sequence: int) -> Any:
    return log.read(sequence - 1, 1)[0]
