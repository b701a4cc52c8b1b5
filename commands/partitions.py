"""The logs of all partitions as one: which of them a home key belongs to, and their history in one order."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from typing import Generic, TypeVar

from msgspec.structs import replace

from commands.log import EVERYTHING, EventLog, Selection
from commands.partitioner import partition_of
from commands.position import Position, position_after
from domain.identifiers import ACCOUNTS_HOME
from domain.record import Record

L = TypeVar("L", bound=EventLog)

_CHUNK = 500
_CHUNK_BYTES = 1024 * 1024


class Logs(Generic[L]):
    """One log for each partition, by number from 0."""

    def __init__(self, logs: Sequence[L]) -> None:
        """Bundle *logs*; raises ValueError unless they are sorted by number, without gap."""
        if not logs or any(log.number != number for number, log in enumerate(logs)):
            raise ValueError("the logs are not one for each partition, in order")
        self._logs = tuple(logs)

    def __iter__(self) -> Iterator[L]:
        """Iterate over the logs in the order of their partitions."""
        return iter(self._logs)

    def __len__(self) -> int:
        """Return the number of partitions."""
        return len(self._logs)

    def __getitem__(self, number: int) -> L:
        """Return the log of a partition."""
        return self._logs[number]

    def number_of(self, home: str) -> int:
        """Return the partition that *home* belongs to."""
        return partition_of(home, len(self._logs)) if len(self._logs) > 1 else 0

    def of(self, home: str) -> L:
        """Return the log that *home* belongs to."""
        return self._logs[self.number_of(home)]

    @property
    def accounts(self) -> L:
        """Return the log of all accounts and claims."""
        return self.of(ACCOUNTS_HOME)

    def tip(self, only: int | None = None) -> Position:
        """Return the position after the last record of every partition, or of *only* one.

        Raises LogUnavailableError.
        """
        tips = [(log.number, log.tip()) for log in self._chosen(only)]
        return position_after((number, tip.sequence, tip.chain) for number, tip in tips)

    def command_records(self, command: str) -> tuple[L, list[Record]]:
        """Return the log that *command* appended to, and its records; if unknown, any log and no records."""
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
        through: Mapping[int, int],
        only: int | None = None,
        chunk: int = _CHUNK,
    ) -> Iterator[tuple[L, Record]]:
        """Yield the records of every partition, or of *only* one, each with its log.

        *after* and *through* give, by partition, the sequence before the first and that of the last record.
        The records are sorted by event time, partition and sequence. Event time never goes back within a
        partition, so each partition keeps its order, and all nodes with the same records merge them in the
        same way.
        """
        histories = [
            _read(log, after.get(log.number, 0), through.get(log.number, 0), selection, chunk)
            for log in self._chosen(only)
        ]
        return histories[0] if len(histories) == 1 else merge(*histories, key=_order)

    def records_before(
        self,
        before: Mapping[int, int],
        selection: Selection,
        *,
        down_to: Mapping[int, int],
        only: int | None = None,
        chunk: int = _CHUNK,
    ) -> Iterator[tuple[L, Record]]:
        """Yield the records that `records` yields, in the opposite order; *selection* is newest first.

        *before* and *down_to* give, by partition, the sequence after the first and before the last record.
        """
        histories = [
            _read_back(log, before.get(log.number, 0), down_to.get(log.number, 0), selection, chunk)
            for log in self._chosen(only)
        ]
        return histories[0] if len(histories) == 1 else merge(*histories, key=_order, reverse=True)

    def _chosen(self, only: int | None) -> tuple[L, ...]:
        return self._logs if only is None else (self._logs[only],)


def _read(log: L, after: int, through: int, selection: Selection, chunk: int) -> Iterator[tuple[L, Record]]:
    bounded = replace(selection, most_bytes=_CHUNK_BYTES)
    while after < through:
        records = log.read(after, chunk, bounded)
        size = sum(len(record.data) for record in records)
        yield from ((log, record) for record in records if record.sequence <= through)
        after = records[-1].sequence if len(records) == chunk or size > _CHUNK_BYTES else through


def _read_back(
    log: L, before: int, down_to: int, selection: Selection, chunk: int
) -> Iterator[tuple[L, Record]]:
    bounded = replace(selection, most_bytes=_CHUNK_BYTES)
    while before > down_to + 1:
        records = log.read(before, chunk, bounded)
        size = sum(len(record.data) for record in records)
        yield from ((log, record) for record in records if record.sequence > down_to)
        before = records[-1].sequence if len(records) == chunk or size > _CHUNK_BYTES else 0


def _order(entry: tuple[EventLog, Record]) -> tuple[int, int, int]:
    log, record = entry
    return record.occurred_at, log.number, record.sequence
