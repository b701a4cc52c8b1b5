"""The bus of several partitions: each command goes to the bus of its home key's partition."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from commands.bus import Bus, BusyError
from commands.handlers import home_of
from commands.outcomes import Outcome, Submission, Unavailable


class PartitionedBus:
    """Carry out submissions as consecutive runs of one partition, one run after the other, so that their order holds."""

    def __init__(self, buses: Sequence[Bus], number_of: Callable[[str], int]) -> None:
        """Carry out on *buses*, by partition; *number_of* gives the partition of a home key."""
        self._buses = tuple(buses)
        self._number_of = number_of

    @property
    def waiting(self) -> int:
        """Return how many commands wait in all partitions."""
        return sum(bus.waiting for bus in self._buses)

    async def execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out *submissions* in order; raises BusyError where the first run finds no room.

        Once something has been carried out there is no taking it back: what a later run finds no room for is told as
        unavailable.
        """
        outcomes: list[Outcome] = []
        for bus, run in self._runs(submissions):
            try:
                outcomes += await bus.execute(run)
            except BusyError as error:
                if not outcomes:
                    raise
                outcomes += _unavailable(run, str(error))
        return outcomes

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Do as `execute` from a thread without a loop, within *timeout* seconds."""
        deadline = time.monotonic() + timeout
        outcomes: list[Outcome] = []
        for bus, run in self._runs(submissions):
            try:
                outcomes += bus.execute_sync(run, max(deadline - time.monotonic(), 0.0))
            except BusyError as error:
                if not outcomes:
                    raise
                outcomes += _unavailable(run, str(error))
        return outcomes

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        for bus in self._buses:
            bus.close(timeout)

    def _runs(self, submissions: Sequence[Submission]) -> Iterator[tuple[Bus, list[Submission]]]:
        for number, run in groupby(submissions, lambda item: self._number_of(home_of(item.command))):
            yield self._buses[number], list(run)


def partitioned(buses: Sequence[Bus], number_of: Callable[[str], int]) -> Bus:
    """Return one bus over *buses*: the only one itself, so that one partition costs nothing."""
    return buses[0] if len(buses) == 1 else PartitionedBus(buses, number_of)


def _unavailable(run: Sequence[Submission], reason: str) -> list[Outcome]:
    return [Unavailable(command_id=submission.command_id, reason=reason) for submission in run]
