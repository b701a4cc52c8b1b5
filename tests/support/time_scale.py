"""One factor for every time limit in the tests: a busy machine may make a test slow, but not wrong.

`CODEPARK_TEST_TIME_SCALE` sets the factor. Without it, the factor is the load average per core, and at least
1. It is read at the start of the run and again for each limit, and never decreases: load that comes during a
run, which includes the run's own, delays tests as much as load that was there before.
"""

import os

VARIABLE = "CODEPARK_TEST_TIME_SCALE"


class TimeScale:
    """The factor of one run."""

    def __init__(self, given: str | None = None) -> None:
        """Take the factor from *given*, or, without it, from the load of this machine."""
        self._fixed = None if given is None else _number(given)
        self._highest = 1.0

    def factor(self) -> float:
        """Return the present factor."""
        if self._fixed is not None:
            return self._fixed
        self._highest = max(self._highest, load_per_core())
        return self._highest


def load_per_core() -> float:
    """Return the load average per core: the higher one of the last minute and the last five."""
    minute, five_minutes, _ = os.getloadavg()
    return max(minute, five_minutes) / (os.cpu_count() or 1)


def _number(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1.0 <= factor < float("inf"):
        raise ValueError(f"{VARIABLE} is {text!r}; write a number from 1 on")
    return factor


_SCALE = TimeScale(os.environ.get(VARIABLE))
_SCALE.factor()


def stretched(seconds: float) -> float:
    """Return a time limit of *seconds*, stretched for the load of this machine."""
    return seconds * _SCALE.factor()
