"""How much of the machine others used during a measure: a number taken beside a busy neighbour proves little."""

import time

import psutil

_IDLE = ("idle", "iowait", "guest", "guest_nice")


class Meter:
    """Start when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._busy = _busy_seconds()
        self._own = time.process_time()

    def others(self, server_seconds: float) -> float:
        """Return the cores that neither this process nor the server, which used *server_seconds*, kept busy."""
        elapsed = time.perf_counter() - self._began
        known = time.process_time() - self._own + server_seconds
        return round(max(_busy_seconds() - self._busy - known, 0.0) / max(elapsed, 1e-9), 2)


def _busy_seconds() -> float:
    times = psutil.cpu_times()._asdict()
    return float(sum(value for name, value in times.items() if name not in _IDLE))
