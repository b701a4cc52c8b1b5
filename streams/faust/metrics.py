"""The metrics of a worker, for Prometheus."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.faust.partition_state import PartitionProjector, Step

_LABELS = ("group", "partition")
_LAG_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300)


class WorkerMetrics:
    """How fast a worker is, how far it is behind, and what it could not project."""

    def __init__(self, group: str) -> None:
        """Register the metrics of the consumer group *group* in a registry of their own."""
        self.registry = CollectorRegistry()
        self._group = group
        self._events = self._counter("codepark_projected_events", "Events projected")
        self._rate = self._gauge(
            "codepark_projected_events_per_second", "Events projected a second, last batch"
        )
        self._position = self._gauge("codepark_projected_sequence", "Last sequence stored")
        self._lag = self._gauge("codepark_projection_lag_events", "Messages behind the log's end")
        self._lag_seconds = Histogram(
            "codepark_projection_lag_seconds",
            "From the event's time to its documents",
            _LABELS,
            buckets=_LAG_BUCKETS,
            registry=self.registry,
        )
        self._void = self._counter("codepark_void_records", "Records that do not extend the chain")
        self._dead_letters = self._counter("codepark_dead_letters", "Events that became dead letters")
        self._blocked = self._gauge("codepark_blocked_streams", "Streams that a dead letter blocks")
        self._waiting = self._gauge("codepark_projection_waits", "1 while the store or Kafka is unavailable")
        self.total = 0

    def _counter(self, name: str, description: str) -> Counter:
        return Counter(name, description, _LABELS, registry=self.registry)

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(name, description, _LABELS, registry=self.registry)

    def count_step(self, projector: PartitionProjector, step: Step, seconds: float) -> None:
        """Count one step that took *seconds*."""
        labels = (self._group, str(projector.partition))
        count = len(step.records)
        self.total += count
        self._void.labels(*labels).inc(step.void)
        self._position.labels(*labels).set(step.after.tip.sequence)
        if not count:
            return
        self._events.labels(*labels).inc(count)
        self._rate.labels(*labels).set(count / max(seconds, 1e-6))
        self._lag_seconds.labels(*labels).observe(max(time.time() - step.records[0].occurred_at / 1000, 0.0))
        failed = sum(letter.reason is not None for letter in step.dead_letters)
        self._dead_letters.labels(*labels).inc(failed)
        blocked = sum(len(checkpoint.blocked) for checkpoint in projector.checkpoints.values())
        self._blocked.labels(*labels).set(blocked)

    def set_lag(self, partition: int, messages: int) -> None:
        """Set how many messages the worker is behind the end of the log."""
        self._lag.labels(self._group, str(partition)).set(messages)

    def set_waiting(self, partition: int, *, waiting: bool) -> None:
        """Set whether the worker waits for the store or for Kafka."""
        self._waiting.labels(self._group, str(partition)).set(int(waiting))
