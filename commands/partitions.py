"""The logs of all partitions as one: which of them a home key belongs to, and their history in one order."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from typing import Generic, TypeVar

from commands.log import EVERYTHING, EventLog, Selection
from commands.partitioner import partition_of
from commands.position import Position, position_after
from domain.identifiers import ACCOUNTS_HOME
from domain.record import Record

L = TypeVar("L", bound=EventLog)

_CHUNK = 500


class Logs(Generic[L]):
    """One log for each partition, by number from 0."""

    def __init__(self, logs: Sequence[L]) -> None:
        """Bundle *logs*; raises ValueError where one is not at its number."""
        if not logs or any(log.number != number for number, log in enumerate(logs)):
            raise ValueError("the logs are not one for each partition, in order")
        self._logs = tuple(logs)

    def __iter__(self) -> Iterator[L]:
        """Iterate over the logs in order of their partitions."""
        return iter(self._logs)

    def __len__(self) -> int:
        """Return the number of partitions."""
        return len(self._logs)

    def __getitem__(self, number: int) -> L:
        """Return the log of a partition."""
        return self._logs[number]

    def number_of(self, home: str) -> int:
        """Return the partition that *home* belongs to."""
        return partition_of(home, len(self._logs))

    def of(self, home: str) -> L:
        """Return the log that *home* belongs to."""
        return self._logs[self.number_of(home)]

    @property
    def accounts(self) -> L:
        """Return the log of all accounts and claims."""
        return self.of(ACCOUNTS_HOME)

    def tip(self, only: int | None = None) -> Position:
        """Return the position behind the last record of every partition, or of one; raises LogUnavailableError."""
        tips = [(log.number, log.tip()) for log in self._chosen(only)]
        return position_after((number, tip.sequence, tip.chain) for number, tip in tips)

    def command_records(self, command: str) -> tuple[L, list[Record]]:
        """Return what *command* appended, and the log that has it; of an unknown one nothing, and some log."""
        for log in self._logs:
            records = log.command_records(command)
            if records:
                return log, records
        return self._logs[0], []

    def records(
        self,
        after: Mapping[int, int],
        selection: Selection = EVERYTHING,
        *,
        upto: Mapping[int, int],
        only: int | None = None,
        chunk: int = _CHUNK,
    ) -> Iterator[tuple[L, Record]]:
        """Yield the records behind *after*, up to *upto*, of every partition, or of one, each with its log.

        They come by event time, partition and sequence.

        Event time never goes back within a partition, so each partition keeps its order, and every node that has the
        same records merges them alike.
        """
        parts = [
            _read(log, after.get(log.number, 0), upto.get(log.number, 0), selection, chunk)
            for log in self._chosen(only)
        ]
        return parts[0] if len(parts) == 1 else merge(*parts, key=_order)

    def _chosen(self, only: int | None) -> tuple[L, ...]:
        return self._logs if only is None else (self._logs[only],)


def _read(log: L, after: int, upto: int, selection: Selection, chunk: int) -> Iterator[tuple[L, Record]]:
    while after < upto:
        records = log.read(after, chunk, selection)
        yield from ((log, record) for record in records if record.sequence <= upto)
        after = records[-1].sequence if len(records) == chunk else upto


def _order(item: tuple[EventLog, Record]) -> tuple[int, int, int]:
    log, record = item
    return record.occurred_at, log.number, record.sequence
