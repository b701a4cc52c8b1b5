"""Whose files the analyser measures next: owners take turns, and each has a budget of processor time."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

TURN_SECONDS: Final = 1.0
"""After so much processor time, the other owners' files come first."""

BUDGET_SECONDS: Final = 60.0
"""What an owner who has used nothing may use at once: enough for an import of ten thousand ordinary files."""

REFILL: Final = 0.1
"""How much of each second an owner gets back: one who keeps the analyser busy gets a tenth of a processor."""

_OWNERS: Final = 10_000


class Budgets:
    """What owners may still use of the analyser, in processor seconds; forgotten when the process ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with a full budget for everybody."""
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def has(self, owner: str) -> bool:
        """Return whether *owner* has anything left."""
        return self._full_at.get(owner, 0.0) - self._clock() < BUDGET_SECONDS / REFILL

    def spend(self, owner: str, seconds: float) -> None:
        """Take *seconds* from the budget of *owner*."""
        if seconds <= 0:
            return
        now = self._clock()
        self._full_at[owner] = max(self._full_at.get(owner, now), now) + seconds / REFILL
        self._full_at.move_to_end(owner)
        while len(self._full_at) > _OWNERS:
            self._full_at.popitem(last=False)


def in_turns(queues: Mapping[str, Sequence[T]], may_continue: Callable[[str], bool]) -> Iterator[T]:
    """Yield the first of each queue, then the second, and so on; a queue that may not continue ends."""
    waiting: dict[str, Iterator[T]] = {owner: iter(queue) for owner, queue in queues.items()}
    while waiting:
        for owner in list(waiting):
            each = next(waiting[owner], None) if may_continue(owner) else None
            if each is None:
                del waiting[owner]
            else:
                yield each


def by_owner(items: Iterable[T], owner_of: Callable[[T], str]) -> dict[str, list[T]]:
    """Return *items* by their owner, in order."""
    queues: dict[str, list[T]] = {}
    for each in items:
        queues.setdefault(owner_of(each), []).append(each)
    return queues
