"""Count and time requests by method, route and status, at little cost for each request."""

from typing import Final, NamedTuple

from prometheus_client import Counter, Histogram

from telemetry.instruments import HTTP_REQUESTS, HTTP_SECONDS
from telemetry.observers import OBSERVERS

UNMATCHED: Final = "unmatched"
"""The route of every path that the server does not have."""

UNSENT: Final = 499
"""The status of a request whose client went before its answer began."""

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_OTHER = "OTHER"


class _Series(NamedTuple):
    seconds: Histogram
    requests: Counter


class HttpMetrics:
    """The series that this process has; to look one up is cheaper than to name its labels each time."""

    def __init__(self) -> None:
        """Begin without a series."""
        self._series: dict[tuple[str, str, int], _Series] = {}

    def answered(
        self, method: str, route: str, status: int, seconds: float, trace_id: str | None = None
    ) -> None:
        """Count a request to *route*, a path with the names of its parameters; any thread may call this.

        With the id of its trace, the request is an example of those that take as long.
        """
        series = self._series.get((method, route, status)) or self._new_series(method, route, status)
        series.seconds.observe(seconds, None if trace_id is None else {"trace_id": trace_id})
        series.requests.inc()
        for observe in OBSERVERS:
            observe(method if method in METHODS else _OTHER, route, status, seconds)

    def _new_series(self, method: str, route: str, status: int) -> _Series:
        known = method if method in METHODS else _OTHER
        series = _Series(
            HTTP_SECONDS.labels(known, route, str(status)), HTTP_REQUESTS.labels(known, route, str(status))
        )
        if known != _OTHER:
            self._series[method, route, status] = series
        return series
