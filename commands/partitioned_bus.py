"""The bus of several partitions: each command goes to the bus of its home key's partition."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby

from commands.bus import Bus, BusyError
from commands.outcomes import Outcome, Submission, Unavailable
from commands.table.dispatch import home_of
from domain.identifiers import ACCOUNTS_HOME

Slice = list[tuple[int, Submission]]
"""The submissions of a batch that go to one partition, each with its index in the batch."""


class PartitionedBus:
    """Carries out the submissions of one partition in order, and those of different partitions concurrently.

    All that a decider learns of another partition is about accounts, so the order between commands about
    accounts and other commands is kept too.
    """

    def __init__(self, buses: Sequence[Bus], number_of: Callable[[str], int]) -> None:
        """Carry out on *buses*, by partition; *number_of* gives the partition of a home key."""
        self._buses = tuple(buses)
        self._number_of = number_of

    @property
    def waiting(self) -> int:
        """Return how many commands wait in all partitions."""
        return sum(bus.waiting for bus in self._buses)

    async def execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out *submissions*; raises BusyError where every partition is too busy.

        Once something has been carried out it cannot be undone: what a busy partition did not take is then
        unavailable.
        """
        outcomes = _BatchOutcomes(submissions)
        for stage in self._stages(submissions):
            results = await asyncio.gather(
                *(self._buses[number].execute(_submissions(part)) for number, part in stage),
                return_exceptions=True,
            )
            for (_, part), result in zip(stage, results, strict=True):
                outcomes.add(part, result)
        return outcomes.in_order()

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Do as `execute` from a thread without a loop, one partition after the other, within *timeout*."""
        deadline = time.monotonic() + timeout
        outcomes = _BatchOutcomes(submissions)
        for number, part in chain.from_iterable(self._stages(submissions)):
            remaining = max(deadline - time.monotonic(), 0.0)
            try:
                outcomes.add(part, self._buses[number].execute_sync(_submissions(part), remaining))
            except BusyError as error:
                outcomes.add(part, error)
        return outcomes.in_order()

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        for bus in self._buses:
            bus.close(timeout)

    def _stages(self, submissions: Sequence[Submission]) -> Iterator[list[tuple[int, Slice]]]:
        """Yield what may be carried out at once: the number of each partition, with its submissions."""
        homes = [home_of(submission.command) for submission in submissions]
        for _, indexes in groupby(range(len(homes)), lambda index: homes[index] == ACCOUNTS_HOME):
            slices: dict[int, Slice] = {}
            for index in indexes:
                slices.setdefault(self._number_of(homes[index]), []).append((index, submissions[index]))
            yield list(slices.items())


def _submissions(part: Slice) -> list[Submission]:
    return [submission for _, submission in part]


class _BatchOutcomes:
    """The outcomes of a batch, collected slice by slice."""

    def __init__(self, submissions: Sequence[Submission]) -> None:
        self._outcomes: dict[int, Outcome] = {}
        self._busy: BusyError | None = None
        self._submissions = submissions

    def add(self, part: Slice, result: Sequence[Outcome] | BaseException) -> None:
        """Take the outcomes of *part*, or its BusyError; raises every other error."""
        if isinstance(result, BusyError):
            self._busy = result
        elif isinstance(result, BaseException):
            raise result
        else:
            self._outcomes.update((index, outcome) for (index, _), outcome in zip(part, result, strict=True))

    def in_order(self) -> list[Outcome]:
        """Return all outcomes in the order of the batch; raises BusyError where there are none."""
        if self._busy is not None and not self._outcomes:
            raise self._busy
        return [
            self._outcomes.get(index) or Unavailable(command_id=submission.command_id, reason=str(self._busy))
            for index, submission in enumerate(self._submissions)
        ]


def partitioned(buses: Sequence[Bus], number_of: Callable[[str], int]) -> Bus:
    """Return one bus over *buses*: of a single one, the bus itself, so that one partition costs nothing."""
    return buses[0] if len(buses) == 1 else PartitionedBus(buses, number_of)
