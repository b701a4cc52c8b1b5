"""The metrics of a process of the cluster profile: its servers, and the other nodes."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from codepark.profiles.profile import Node, NodeFigures
from codepark.server_watch import ServerWatch


def server_metrics(answering: Mapping[str, bool]) -> Metric:
    """Return a gauge with a value for each server: 1 while it answers, else 0."""
    gauge = GaugeMetricFamily(
        "codepark_server_up", "1 while a server that this process needs answers, else 0", labels=["server"]
    )
    for name, answers in answering.items():
        gauge.add_metric([name.lower()], int(answers))
    return gauge


def node_metrics(figures: NodeFigures) -> Iterator[Metric]:
    """Yield the metrics of a node."""
    yield server_metrics(figures.servers)
    yield CounterMetricFamily(
        "codepark_void_records", "Records that do not extend the chain", value=figures.void_records
    )
    yield _counted(
        "codepark_node_forwards",
        "Commands that other nodes answered, and batches that they did not answer",
        "outcome",
        {"answered": figures.forwarded, "unanswered": figures.unanswered},
    )
    yield _counted(
        "codepark_node_unproven",
        "What came without the proof of a node of this installation, and was ignored",
        "kind",
        {
            "request": figures.refused_requests,
            "answer": figures.refused_answers,
            "heartbeat": figures.refused_heartbeats,
        },
    )


def _counted(name: str, description: str, label: str, values: Mapping[str, int]) -> Metric:
    counter = CounterMetricFamily(name, description, labels=[label])
    for value, count in values.items():
        counter.add_metric([value], count)
    return counter


class WatchedServers(Collector):
    """The servers of a worker, as a part of its metrics."""

    def __init__(self, watch: ServerWatch) -> None:
        """Read from *watch*."""
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """Yield which servers answer now."""
        yield server_metrics(self._watch.answering())


class NodeCollector(Collector):
    """A node, as a part of the metrics of a process without an HTTP surface."""

    def __init__(self, node: Node) -> None:
        """Read from *node*."""
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        yield from node_metrics(self._node.node_figures())
