"""The order of the tests where several processes run them: those that take long first.

Each process begins with an equal share of the list, and takes over half of what another has left when it has
none (`--dist worksteal` of pytest-xdist). If long tests came last, one process would end with them alone.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final, TypeVar

T = TypeVar("T")

LONG: Final = (
    "tests/e2e",
    "tests/chaos",
    "tests/docs",
    "tests/integration/faults",
    "tests/integration/faust",
    "tests/integration/cluster",
    "tests/simulation",
)
"""The folders whose tests take seconds each; of all others, most take milliseconds."""


def long_first(tests: Sequence[T], file_of: Callable[[T], str], processes: int) -> list[T]:
    """Return *tests* in an order in which the share of each of *processes* begins with long ones.

    The long tests of a file stay together, and their files are dealt out in turns.
    """
    dealt: list[list[T]] = [[] for _ in range(processes)]
    long = [test for test in tests if file_of(test).startswith(LONG)]
    for number, (_, of_file) in enumerate(groupby(long, file_of)):
        dealt[number % processes].extend(of_file)
    others = iter([test for test in tests if not file_of(test).startswith(LONG)])
    ordered: list[T] = []
    for number, share in enumerate(dealt):
        size = (len(tests) - len(ordered)) // (processes - number)
        ordered += share
        ordered += [test for _, test in zip(range(size - len(share)), others, strict=False)]
    return [*ordered, *others]
