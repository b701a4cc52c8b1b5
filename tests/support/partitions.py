"""Logs of several partitions in memory, for tests of their readers."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from commands.log import EVERYTHING, Selection, Tip
from commands.partitioner import partition_of
from commands.partitions import Logs
from domain.record import Record


class MemoryLog:
    """One partition's records, without events in them."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.records: list[Record] = []
        self._callbacks: list[Callable[[Sequence[Record]], None]] = []

    def tip(self) -> Tip:
        if not self.records:
            return Tip(0, bytes(32), 0)
        last = self.records[-1]
        return Tip(last.sequence, last.chain, last.occurred_at)

    def read(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Record]:
        records = self.records[: after - 1][::-1] if selection.newest_first else self.records[after:]
        return [record for record in records if _selected(record, selection)][:limit]

    def sequence_at(self, time: int) -> int:
        return sum(record.occurred_at <= time for record in self.records)

    def chains(self, sequences: Sequence[int]) -> dict[int, bytes]:
        return {record.sequence: record.chain for record in self.records if record.sequence in sequences}

    def event(self, record: Record) -> Any:
        raise LookupError("there are no events here")

    def request_of(self, record: Record) -> tuple[str, str | None]:
        return record.correlation, record.traceparent

    def command_records(self, command: str) -> list[Record]:
        return [record for record in self.records if record.command == command]

    def on_append(
        self, callback: Callable[[Sequence[Record]], None], topics: frozenset[str] | None = None
    ) -> None:
        assert topics is None, "this log calls for every append"
        self._callbacks.append(callback)

    def add(self, home: str, occurred_at: int, topic: str = "project.updated") -> Record:
        sequence = len(self.records) + 1
        record = Record(
            source="s",
            home=home,
            stream=f"project-{home}",
            version=sequence,
            topic=topic,
            schema=1,
            data=b"{}",
            sequence=sequence,
            at=sequence,
            command=f"c-{self.number}-{sequence}",
            commit_index=1,
            commit_count=1,
            occurred_at=max(occurred_at, self.tip().occurred_at),
            actor="a",
            correlation="c",
            causation=None,
            traceparent=None,
            fingerprint=None,
            chain=hashlib.sha256(f"{self.number}/{sequence}".encode()).digest(),
        )
        self.records.append(record)
        for callback in self._callbacks:
            callback([record])
        return record


def _selected(record: Record, selection: Selection) -> bool:
    wanted = (
        (selection.topics, record.topic),
        (selection.streams, record.stream),
        (selection.homes, record.home),
        (selection.actors, record.actor),
    )
    return all(names is None or name in names for names, name in wanted)


def memory_logs(partitions: int = 3) -> Logs[Any]:
    return Logs([MemoryLog(number) for number in range(partitions)])


def home_in(partition: int, partitions: int = 3) -> str:
    """Return a home key of *partition*."""
    return next(
        home for number in range(1_000) if partition_of(home := f"home-{number}", partitions) == partition
    )
