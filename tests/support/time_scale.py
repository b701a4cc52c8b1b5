"""One factor for every limit of time in the tests: a busy machine makes a test slow, never wrong.

`CODEPARK_TEST_TIME_SCALE` sets the factor. Without it, the factor is the load average per core, and at least 1. It is
taken at the start of the run and again for each limit; it only grows, since the load that comes during a run (the
run's own included) holds tests up as much as the load that was there before it.
"""

import os

VARIABLE = "CODEPARK_TEST_TIME_SCALE"


class TimeScale:
    """The factor of one run."""

    def __init__(self, given: str | None = None) -> None:
        """Take the factor from *given*, or from the load of this machine where nothing is given."""
        self._fixed = None if given is None else _number(given)
        self._highest = 1.0

    def factor(self) -> float:
        """Return by how much a limit of time is stretched now."""
        if self._fixed is not None:
            return self._fixed
        self._highest = max(self._highest, load_per_core())
        return self._highest


def load_per_core() -> float:
    """Return how many processes wait for each core, by the average of the last minute or of the last five."""
    minute, five_minutes, _ = os.getloadavg()
    return max(minute, five_minutes) / (os.cpu_count() or 1)


def _number(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1.0 <= factor < float("inf"):
        raise ValueError(f"{VARIABLE} is {text!r}; it takes a number from 1 on")
    return factor


_SCALE = TimeScale(os.environ.get(VARIABLE))
_SCALE.factor()


def stretched(seconds: float) -> float:
    """Return a limit of *seconds* on a machine that does nothing else, as long as it has to be on this one."""
    return seconds * _SCALE.factor()
