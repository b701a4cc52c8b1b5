"""The bus of several partitions: each command goes to the bus of its home key's partition."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby

from commands.bus import Bus, BusyError
from commands.outcomes import Outcome, Submission, Unavailable
from commands.table.dispatch import home_of
from domain.identifiers import ACCOUNTS_HOME

Part = list[tuple[int, Submission]]
"""Submissions of one partition, each with its place in the batch."""


class PartitionedBus:
    """Carry out submissions in each partition in their order, and partitions side by side.

    What a decider learns of another partition concerns accounts alone, so commands about accounts and others keep
    their order among each other too.
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
        """Carry out *submissions*; raises BusyError where none finds room.

        Once something has been carried out there is no taking it back: what finds no room is told as unavailable.
        """
        done = _Done(submissions)
        for stage in self._stages(submissions):
            asked = [self._buses[number].execute([item for _, item in part]) for number, part in stage]
            found = await asyncio.gather(*asked, return_exceptions=True)
            for (_, part), outcomes in zip(stage, found, strict=True):
                done.note(part, outcomes)
        return done.outcomes()

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Do as `execute` from a thread without a loop, one partition after the other, within *timeout* seconds."""
        deadline = time.monotonic() + timeout
        done = _Done(submissions)
        for number, part in chain.from_iterable(self._stages(submissions)):
            left = max(deadline - time.monotonic(), 0.0)
            try:
                done.note(part, self._buses[number].execute_sync([item for _, item in part], left))
            except BusyError as error:
                done.note(part, error)
        return done.outcomes()

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        for bus in self._buses:
            bus.close(timeout)

    def _stages(self, submissions: Sequence[Submission]) -> Iterator[list[tuple[int, Part]]]:
        """Yield what may be carried out at once: for each partition its submissions, with their places in the batch."""
        homes = [home_of(item.command) for item in submissions]
        for _, places in groupby(range(len(homes)), lambda place: homes[place] == ACCOUNTS_HOME):
            parts: dict[int, Part] = {}
            for place in places:
                parts.setdefault(self._number_of(homes[place]), []).append((place, submissions[place]))
            yield list(parts.items())


class _Done:
    """The outcomes of a batch, as they come."""

    def __init__(self, submissions: Sequence[Submission]) -> None:
        self._outcomes: dict[int, Outcome] = {}
        self._busy: BusyError | None = None
        self._submissions = submissions

    def note(self, part: Part, found: Sequence[Outcome] | BaseException) -> None:
        """Take what became of *part*; raises what is not about room."""
        if isinstance(found, BusyError):
            self._busy = found
        elif isinstance(found, BaseException):
            raise found
        else:
            self._outcomes.update((place, outcome) for (place, _), outcome in zip(part, found, strict=True))

    def outcomes(self) -> list[Outcome]:
        """Return all in the order of the batch; raises BusyError where there is none."""
        if self._busy is not None and not self._outcomes:
            raise self._busy
        return [
            self._outcomes.get(place) or Unavailable(command_id=item.command_id, reason=str(self._busy))
            for place, item in enumerate(self._submissions)
        ]


def partitioned(buses: Sequence[Bus], number_of: Callable[[str], int]) -> Bus:
    """Return one bus over *buses*: the only one itself, so that one partition costs nothing."""
    return buses[0] if len(buses) == 1 else PartitionedBus(buses, number_of)
