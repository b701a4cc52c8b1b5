"""The figures of a worker, for Prometheus."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.faust.partition_state import PartitionProjector, Step


class Figures:
    """How fast a worker is, how far behind, and what it could not take."""

    def __init__(self, group: str) -> None:
        """Register the figures of the consumer group *group* in a registry of their own."""
        self.registry = CollectorRegistry()
        labels = ("group", "partition")
        self._group = group
        self._events = Counter(
            "codepark_projected_events", "Events projected", labels, registry=self.registry
        )
        self._rate = Gauge(
            "codepark_projected_events_per_second",
            "Events projected a second, last batch",
            labels,
            registry=self.registry,
        )
        self._position = Gauge(
            "codepark_projected_sequence", "Last sequence kept", labels, registry=self.registry
        )
        self._lag = Gauge(
            "codepark_projection_lag_events", "Messages behind the log's end", labels, registry=self.registry
        )
        self._late = Histogram(
            "codepark_projection_lag_seconds",
            "From the event's time to its documents",
            labels,
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
            registry=self.registry,
        )
        self._void = Counter(
            "codepark_void_records", "Records that do not count", labels, registry=self.registry
        )
        self._letters = Counter(
            "codepark_dead_letters", "Events sent to the dead letters", labels, registry=self.registry
        )
        self._blocked = Gauge(
            "codepark_blocked_streams", "Streams behind a dead letter", labels, registry=self.registry
        )
        self._waiting = Gauge(
            "codepark_projection_waits", "1 where a part is away", labels, registry=self.registry
        )
        self.total = 0

    def stepped(self, projector: PartitionProjector, step: Step, seconds: float) -> None:
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
        self._late.labels(*labels).observe(max(time.time() - step.records[0].occurred_at / 1000, 0.0))
        self._letters.labels(*labels).inc(sum(letter.reason is not None for letter in step.letters))
        self._blocked.labels(*labels).set(sum(len(c.blocked) for c in projector.checkpoints.values()))

    def behind(self, partition: int, events: int) -> None:
        """Say how many messages lie before the log's end."""
        self._lag.labels(self._group, str(partition)).set(events)

    def waits(self, partition: int, _: str) -> None:
        """Say that a part is away."""
        self._waiting.labels(self._group, str(partition)).set(1)

    def goes_on(self, partition: int) -> None:
        """Say that all parts answer."""
        self._waiting.labels(self._group, str(partition)).set(0)
