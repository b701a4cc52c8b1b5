"""G12: Kafka, MongoDB or Redis are unavailable at the start of a node, and later; it needs no restart."""

from functools import partial

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.cluster import private_kafka, private_mongo, private_valkey
from tests.support.people import made, refused
from tests.support.server import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

RECOVERY_SECONDS = 40.0


def create(client, name="p", key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/v1/projects", json={"name": name}, headers=headers)


def accepted(client, name="p", key=None):
    """Send a command until it is accepted, for a recovery takes some time."""

    def tried():
        answer = create(client, name, key)
        assert answer.status_code in (httpx.codes.CREATED, httpx.codes.SERVICE_UNAVAILABLE), answer.text
        return answer if answer.is_success else None

    return eventually(tried, seconds=RECOVERY_SECONDS)


def wait_not_ready(client, server):
    """Wait until the node says that it is not ready because of *server*, in a few seconds."""

    def says_so():
        answer = client.get("/health/ready")
        return not answer.is_success and f"{server} does not answer" in answer.json()["detail"]

    eventually(says_so, seconds=15.0)
    refused(client.get("/health/ready"), 503, "not_ready")
    assert client.get("/health/live").is_success


def server_up(client):
    """Return the gauge of each server."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        sample.labels["server"]: sample.value
        for family in families
        if family.name == "codepark_server_up"
        for sample in family.samples
    }


def wait_for_lines(program, server):
    """Wait until *program* has noted twice that *server* went and came back, and nothing else about it.

    On a busy machine, a server that starts may stop answering once more; at the end the test stops it.
    """
    expected = ["server does not answer", "server answers again"] * 3 + ["server does not answer"]

    def noted():
        lines = lines_about(program, server)
        return len(lines) >= 4 and lines == expected[: len(lines)]

    eventually(noted, seconds=RECOVERY_SECONDS)


def lines_about(program, server):
    """Return what the log of *program* says of *server* that goes and returns; every line is JSON."""
    lines = [msgspec.json.decode(line) for line in program.output.read_text().splitlines()]
    return [line["event"] for line in lines if line.get("server") == server]


def says_no_server(problem, address):
    """Check that a client is not told where the servers are."""
    port = address.rstrip("/").rpartition(":")[2].partition("/")[0]
    assert port not in problem["detail"]
    assert "127.0.0.1" not in problem["detail"]


def shown_or_stored(client, project):
    """Change *project* while MongoDB does not answer: the reply shows it, or says that it is stored."""
    answer = client.patch(f"/api/v1/projects/{project}", json={"description": str(client.base_url)})
    assert answer.headers["CodePark-Position"]
    if not answer.is_success:
        refused(answer, 503, "result_unavailable")
        assert answer.headers["CodePark-Command"]


def seen(client, answer):
    """Return whether a query includes the project that *answer* names."""
    headers = {"CodePark-After": answer.headers["CodePark-Position"]}
    return client.get(f"/api/v1/projects/{answer.json()['id']}", headers=headers).is_success


def test_kafka_is_unavailable_at_the_start_and_later(tmp_path, install):
    with private_kafka(tmp_path / "kafka") as kafka:
        kafka.kill()
        node = install(kafka=kafka.address).node()
        node.launch()
        node.wait_live()
        with node.client() as client:
            problem = refused(create(client, key="k1"), 503, "log_unavailable")
            assert "Traceback" not in problem["detail"]
            answer = create(client, key="k1")
            assert answer.headers["Retry-After"]
            assert answer.headers["CodePark-Command"]
            wait_not_ready(client, "Kafka")
            kafka.start()
            first = accepted(client, key="k1")
            eventually(lambda: server_up(client)["kafka"] == 1)
            kafka.kill()
            lost = create(client, "q", key="k2")
            says_no_server(refused(lost, 503, "log_unavailable"), kafka.address)
            assert lost.headers["Retry-After"]
            wait_not_ready(client, "Kafka")
            assert server_up(client)["kafka"] == 0
            kafka.start()
            second = accepted(client, "q", key="k2")
            assert second.headers["CodePark-Command"] == lost.headers["CodePark-Command"]
            again = create(client, key="k1")
            assert made(again)["id"] == first.json()["id"]
            assert again.headers["Idempotency-Replayed"] == "true"
            eventually(lambda: server_up(client)["kafka"] == 1)
    wait_for_lines(node, "Kafka")


def test_mongodb_is_unavailable_at_the_start_and_later(tmp_path, install):
    with private_mongo(tmp_path / "mongo") as mongo:
        mongo.kill()
        installation = install(mongodb_uri=mongo.address)
        node, other = installation.node(), installation.node()
        for each in (node, other):
            each.launch()
        worker = installation.start_worker("projections")
        node.wait_live()
        other.wait_live()
        with node.client() as client, other.client() as elsewhere:
            first = accepted(client)  # commands need no MongoDB
            wait_not_ready(client, "MongoDB")
            unseen = client.get(f"/api/v1/projects/{first.json()['id']}")
            says_no_server(refused(unseen, 503, "projection_unavailable"), mongo.address)
            assert unseen.headers["Retry-After"]
            mongo.start()
            eventually(lambda: seen(client, first), seconds=RECOVERY_SECONDS)
            eventually(node.answers, seconds=RECOVERY_SECONDS)
            mongo.kill()
            second = accepted(client, "q")
            for each in (client, elsewhere):
                shown_or_stored(each, second.json()["id"])
            wait_not_ready(client, "MongoDB")
            path = f"/api/v1/projects/{second.json()['id']}"
            unseen = client.get(path, headers={"CodePark-After": second.headers["CodePark-Position"]})
            refused(unseen, 503, "projection_unavailable")
            mongo.start()
            eventually(lambda: seen(client, second), seconds=RECOVERY_SECONDS)
            eventually(node.answers, seconds=RECOVERY_SECONDS)
        assert worker.running
    for program in (node, worker):
        wait_for_lines(program, "MongoDB")


def test_redis_is_unavailable_at_the_start_and_later(tmp_path, install):
    with private_valkey(tmp_path / "valkey") as valkey:
        valkey.kill()
        installation = install(redis_url=valkey.address)
        nodes = [installation.node() for _ in range(2)]
        for node in nodes:
            node.launch()
        installation.start_worker("projections")
        for node in nodes:
            node.wait_ready()
        _each_serves(nodes, "unavailable")
        valkey.start()
        installation.wait_known(nodes)
        _each_serves(nodes, "there")
        valkey.kill()
        _each_serves(nodes, "unavailable again")
        with nodes[0].client() as client:
            eventually(lambda: client.get("/health/ready").json().get("without") == ["Redis"])
            assert server_up(client) == {"kafka": 1, "mongodb": 1, "redis": 0}
        assert [node.health("ready") for node in nodes] == [200, 200]


def _each_serves(nodes, name):
    """Each node accepts a command, and shows what the other node accepted."""
    for node, other in (nodes, nodes[::-1]):
        with node.client() as client, other.client() as elsewhere:
            answer = create(client, name)
            assert answer.status_code == httpx.codes.CREATED, answer.text
            assert eventually(partial(seen, elsewhere, answer), seconds=RECOVERY_SECONDS)
