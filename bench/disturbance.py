"""The processor time that other programs used during a measure: such a measure proves little."""

import time

import psutil

_IDLE = ("idle", "iowait", "guest", "guest_nice")


class Meter:
    """Meters processor time from its creation on."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._busy = _busy_seconds()
        self._own = time.process_time()

    def others(self, server_seconds: float) -> float:
        """Return how many cores other programs kept busy; the server itself used *server_seconds*."""
        elapsed = time.perf_counter() - self._began
        known = time.process_time() - self._own + server_seconds
        return round(max(_busy_seconds() - self._busy - known, 0.0) / max(elapsed, 1e-9), 2)


def _busy_seconds() -> float:
    times = psutil.cpu_times()._asdict()
    return float(sum(value for name, value in times.items() if name not in _IDLE))
