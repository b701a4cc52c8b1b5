"""Metrics for Prometheus, read when they are asked for."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from codepark.parts import Parts


class Metrics(Collector):
    """What the parts say about themselves."""

    def __init__(self, parts: Parts) -> None:
        """Read from *parts*."""
        self._parts = parts
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def write(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        tip = self._parts.log.tip().sequence
        yield GaugeMetricFamily("codepark_log_sequence", "Events in the log", value=tip)
        yield GaugeMetricFamily(
            "codepark_commands_waiting", "Commands that wait for a decision", value=self._parts.bus.waiting
        )
        lag = GaugeMetricFamily(
            "codepark_projection_lag_events",
            "Events that a read model does not include yet",
            labels=["model"],
        )
        blocked = GaugeMetricFamily(
            "codepark_projection_blocked_streams", "Streams that a dead letter blocks", labels=["model"]
        )
        for model, sequence in self._parts.progress.models().items():
            lag.add_metric([model], max(tip - sequence, 0))
            blocked.add_metric([model], len(self._parts.progress.blocked(model)))
        yield lag
        yield blocked
