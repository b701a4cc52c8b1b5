"""Servers that go and return: one line each, a gauge, and two failures before one counts as away."""

from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from codepark import cluster_servers
from codepark.node_metrics import WatchedServers
from codepark.server_watch import ServerWatch, WatchedServer
from tests.support.server import eventually


class Server:
    def __init__(self):
        self.gone, self.asked = False, 0

    def ask(self):
        self.asked += 1
        if self.gone:
            raise ConnectionError("kafka-1:9092 refused")


def test_a_server_that_goes_and_returns_has_one_line_each():
    server = Server()
    watched = WatchedServer("Kafka", server.ask)
    with capture_logs() as lines:
        watched.look()
        server.gone = True
        states = [(watched.look(), watched.answers) for _ in range(5)]
        server.gone = False
        pauses = [watched.look() for _ in range(3)]
    assert [answers for _, answers in states] == [True, False, False, False, False]
    assert states[0][0] < pauses[0], "a first failure is looked into soon"
    assert [(line["event"], line["server"], line["log_level"]) for line in lines] == [
        ("server does not answer", "Kafka", "warning"),
        ("server answers again", "Kafka", "info"),
    ]
    assert "kafka-1:9092 refused" in lines[0]["reason"]


def test_a_single_failure_is_no_reason_to_say_anything():
    server = Server()
    watched = WatchedServer("Kafka", server.ask)
    with capture_logs() as lines:
        for gone in (True, False, True, False):
            server.gone = gone
            watched.look()
            assert watched.answers
    assert lines == []


def test_a_slow_server_delays_no_other():
    gone = Server()
    gone.gone = True
    ended = []

    def waits():
        eventually(lambda: ended)

    watch = ServerWatch({"Slow": waits, "Kafka": gone.ask})
    watch.start()
    try:
        eventually(lambda: watch.answering() == {"Slow": True, "Kafka": False})
        assert cluster_servers.away(watch) == ["Kafka"]
    finally:
        ended.append(True)
        watch.close()


def test_each_server_has_a_gauge():
    server = Server()
    watch = ServerWatch({"Kafka": server.ask, "MongoDB": server.ask})
    registry = CollectorRegistry()
    registry.register(WatchedServers(watch))
    server.gone = True
    for _ in range(2):
        watch._servers[0].look()
    text = generate_latest(registry).decode()
    assert 'codepark_server_up{server="kafka"} 0.0' in text
    assert 'codepark_server_up{server="mongodb"} 1.0' in text
