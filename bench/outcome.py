"""The outcome of a run of the load generator."""

import contextlib
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.wire import Answer


@dataclass(slots=True)
class Outcome:
    """The latencies in seconds of the requests that succeeded, and the number of errors by reason.

    *done* counts units within the measured time; *answered* includes the warm-up and the end. *late* holds by
    how many seconds the generator itself sent requests too late.
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
    """Switch the garbage collector off, so that it adds nothing to the latencies."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
