"""G12: Kafka, MongoDB or Redis are unavailable at the start of a node, and later; it needs no restart."""

from functools import partial

import httpx
import pytest

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
            refused(client.get("/health/ready"), 503, "not_ready")
            kafka.start()
            first = accepted(client, key="k1")
            kafka.kill()
            lost = create(client, "q", key="k2")
            refused(lost, 503, "log_unavailable")
            assert lost.headers["Retry-After"]
            kafka.start()
            second = accepted(client, "q", key="k2")
            assert second.headers["CodePark-Command"] == lost.headers["CodePark-Command"]
            again = create(client, key="k1")
            assert made(again)["id"] == first.json()["id"]
            assert again.headers["Idempotency-Replayed"] == "true"


def test_mongodb_is_unavailable_at_the_start_and_later(tmp_path, install):
    with private_mongo(tmp_path / "mongo") as mongo:
        mongo.kill()
        installation = install(mongodb_uri=mongo.address)
        node = installation.node()
        node.launch()
        worker = installation.start_worker("projections")
        node.wait_live()
        with node.client() as client:
            first = accepted(client)  # commands need no MongoDB
            refused(client.get("/health/ready"), 503, "not_ready")
            unseen = client.get(f"/api/v1/projects/{first.json()['id']}")
            refused(unseen, 503, "projection_unavailable")
            assert unseen.headers["Retry-After"]
            mongo.start()
            eventually(lambda: seen(client, first), seconds=RECOVERY_SECONDS)
            mongo.kill()
            second = accepted(client, "q")
            path = f"/api/v1/projects/{second.json()['id']}"
            unseen = client.get(path, headers={"CodePark-After": second.headers["CodePark-Position"]})
            refused(unseen, 503, "projection_unavailable")
            mongo.start()
            eventually(lambda: seen(client, second), seconds=RECOVERY_SECONDS)
        assert worker.running


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
        assert [node.health("ready") for node in nodes] == [200, 200]


def _each_serves(nodes, name):
    """Each node accepts a command, and shows what the other node accepted."""
    for node, other in (nodes, nodes[::-1]):
        with node.client() as client, other.client() as elsewhere:
            answer = create(client, name)
            assert answer.status_code == httpx.codes.CREATED, answer.text
            assert eventually(partial(seen, elsewhere, answer), seconds=RECOVERY_SECONDS)
