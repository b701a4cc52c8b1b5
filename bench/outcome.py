"""What one run of the load generator saw."""

import contextlib
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.wire import Answer


@dataclass(slots=True)
class Outcome:
    """What one run saw: latencies in seconds of the requests that succeeded, and everything else by its reason.

    *done* counts units within the measured time, *answered* those of the warm-up and of the end too.
    """

    seconds: float = 0.0
    done: int = 0
    answered: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return units done a second."""
        return self.done / self.seconds if self.seconds else 0.0


Units = Callable[[Answer], int]


def one(_: Answer) -> int:
    """Count an answer as one unit of work."""
    return 1


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the generator's own garbage collector out of the latencies."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
