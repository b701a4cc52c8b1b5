"""Metrics for Prometheus, read at each request for them."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from codepark.node_metrics import node_metrics
from codepark.process_metrics import ProcessInOut
from codepark.profiles.profile import Node, Profile
from read_api.gateway.limits.fallback import GuardedLimiter
from read_api.gateway.limits.limits import Limits
from telemetry.instruments import Instruments


class Metrics(Collector):
    """The figures of a process: its log, its commands, its read models, its limits."""

    def __init__(self, profile: Profile, limits: Limits) -> None:
        """Read from *profile* and *limits*."""
        self._profile = profile
        self._limits = limits
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.registry.register(Instruments())
        ProcessCollector(registry=self.registry)
        self.registry.register(ProcessInOut())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        tips = {log.number: log.tip().sequence for log in self._profile.logs}
        yield GaugeMetricFamily("codepark_log_sequence", "Events in the log", value=sum(tips.values()))
        yield from self._of_partitions(tips)
        yield GaugeMetricFamily(
            "codepark_commands_waiting", "Commands that wait for a decision", value=self._profile.bus.waiting
        )
        lag = GaugeMetricFamily(
            "codepark_projection_lag_events",
            "Events that a read model does not include yet",
            labels=["model"],
        )
        blocked = GaugeMetricFamily(
            "codepark_projection_blocked_streams", "Streams that a dead letter blocks", labels=["model"]
        )
        progress = self._profile.progress
        for model in sorted({name for number in tips for name in progress.models(number)}):
            missing = (max(tip - progress.sequence(model, number), 0) for number, tip in tips.items())
            lag.add_metric([model], sum(missing))
            blocked.add_metric([model], len(progress.blocked(model)))
        yield lag
        yield blocked
        if isinstance(self._profile, Node):
            yield from node_metrics(self._profile.node_figures())
        yield from self._of_limits()

    def _of_limits(self) -> Iterator[Metric]:
        """Yield how often the limits refused, and whether this process counts alone."""
        limits, limiter = self._limits, self._limits.limiter
        refused = CounterMetricFamily(
            "codepark_limits_refused", "Requests and sockets that a limit refused", labels=["limit"]
        )
        for name, count in limits.refused.items():
            refused.add_metric([name], count)
        yield refused
        yield GaugeMetricFamily("codepark_live_connections", "Sockets that are counted", value=limits.sockets)
        if isinstance(limiter, GuardedLimiter):
            yield GaugeMetricFamily(
                "codepark_limiter_away",
                "1 while this process counts alone and strictly",
                value=limiter.unavailable,
            )
            yield CounterMetricFamily(
                "codepark_limiter_failures",
                "Times that Redis did not answer the limiter",
                value=limiter.failures,
            )
            yield CounterMetricFamily(
                "codepark_limiter_local_decisions",
                "Requests that this process counted alone",
                value=limiter.decided_locally,
            )

    def _of_partitions(self, tips: Mapping[int, int]) -> Iterator[Metric]:
        """Yield the figures of each partition, where there are several."""
        if len(tips) == 1:
            return
        sequences = GaugeMetricFamily(
            "codepark_partition_sequence", "Events in a partition of the log", labels=["partition"]
        )
        lag = GaugeMetricFamily(
            "codepark_partition_projection_lag_events",
            "Events of a partition that a read model does not include yet",
            labels=["model", "partition"],
        )
        for number, tip in tips.items():
            sequences.add_metric([str(number)], tip)
            for model, sequence in self._profile.progress.models(number).items():
                lag.add_metric([model, str(number)], max(tip - sequence, 0))
        yield sequences
        yield lag
