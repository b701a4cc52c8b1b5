"""Kafka, MongoDB and Redis with TLS and passwords: every client uses the settings, and reports wrong ones."""

import json
from functools import partial
from urllib.parse import quote

import httpx
import pytest
import redis

from devservers.servers import make_certificates
from tests.support.cluster import private_kafka, private_mongo, private_valkey
from tests.support.server import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PASSWORD = "pass:word/with@signs"
USER = {"CODEPARK_KAFKA_SASL_USERNAME": "codepark", "CODEPARK_KAFKA_SASL_PASSWORD": "hunter-22"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured_kafka(certificates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kafka")
    password = USER["CODEPARK_KAFKA_SASL_PASSWORD"]
    with private_kafka(folder, tls=certificates, password=password) as kafka:
        yield kafka


def works(installation):
    """A command is accepted, and a worker projects it."""
    node = installation.start_nodes(1, with_address=False)[0]
    installation.start_worker("projections")
    with node.client() as client:
        answer = client.post("/api/v1/projects", json={"name": "p"})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        path, after = f"/api/v1/projects/{answer.json()['id']}", answer.headers["CodePark-Position"]
        eventually(lambda: client.get(path, headers={"CodePark-After": after}).is_success, seconds=30)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_kafka_with_tls_and_a_password(install, secured_kafka, certificates, mechanism):
    works(
        install(
            kafka=secured_kafka.sasl_ssl_address,
            CODEPARK_KAFKA_CA_FILE=str(certificates.authority),
            CODEPARK_KAFKA_SASL_MECHANISM=mechanism,
            **USER,
        )
    )


def test_kafka_with_tls_alone(install, secured_kafka, certificates):
    works(install(kafka=secured_kafka.ssl_address, CODEPARK_KAFKA_CA_FILE=str(certificates.authority)))


WRONG = {
    "another authority": ("ssl_address", {"CODEPARK_KAFKA_SECURITY_PROTOCOL": "SSL"}),
    "no tls": ("ssl_address", {}),
    "another password": ("sasl_ssl_address", {**USER, "CODEPARK_KAFKA_SASL_PASSWORD": "wrong"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_node_that_kafka_does_not_let_in_accepts_no_command(install, secured_kafka, certificates, name):
    address, given = WRONG[name]
    trusted = {"CODEPARK_KAFKA_CA_FILE": str(certificates.authority)} if "password" in name else {}
    node = install(kafka=getattr(secured_kafka, address), **given, **trusted).node()
    node.launch()
    node.wait_live()
    eventually(lambda: "Kafka does not answer" in node.printed, seconds=30)
    with node.client() as client:
        answer = client.post("/api/v1/projects", json={"name": "p"})
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json()["code"] == "log_unavailable"
    assert "Traceback" not in node.printed
    assert "hunter" not in node.printed


def test_mongodb_with_tls_and_a_password(install, certificates, tmp_path):
    with private_mongo(tmp_path / "mongo", tls=certificates, password=PASSWORD) as mongo:
        uri = mongo.address.partition("&tlsCAFile")[0]  # the authority comes from the setting
        works(install(mongodb_uri=uri, CODEPARK_MONGODB_CA_FILE=str(certificates.authority)))


def test_mongodb_with_another_password(install, certificates, tmp_path):
    with private_mongo(tmp_path / "mongo", tls=certificates, password=PASSWORD) as mongo:
        uri = mongo.address.replace("//codepark:", "//codepark:x")
        node = install(mongodb_uri=uri).node()
        node.launch()
        node.wait_live()
        eventually(lambda: "read models unavailable" in node.printed, seconds=30)
        assert node.health("ready") == httpx.codes.SERVICE_UNAVAILABLE
        assert PASSWORD not in node.printed


@pytest.fixture(scope="module")
def secured_redis(certificates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis")
    with private_valkey(folder, tls=certificates, password=PASSWORD) as valkey:
        yield valkey


def complaints(program):
    """Return what *program* printed about unavailable servers: (the part that reports it, the reason)."""
    lines = [json.loads(line) for line in program.printed.splitlines()]
    return [((line["event"], line.get("channel")), line["reason"]) for line in lines if "reason" in line]


def test_redis_with_tls_and_a_password(install, secured_redis, certificates):
    url = secured_redis.address.partition("?")[0]  # the authority comes from the setting
    installation = install(redis_url=url, CODEPARK_REDIS_CA_FILE=str(certificates.authority))
    works(installation)
    with redis.Redis.from_url(secured_redis.address) as client:
        assert client.keys(f"{installation.prefix}answers.*")
        assert f"{installation.prefix}projected".encode() in client.pubsub_channels()
    for program in (*installation.nodes, *installation.workers):
        assert complaints(program) == []
        assert "rediss:" not in program.printed


WRONG_REDIS = {
    "another authority": ("rediss", PASSWORD, {}, "certificate verify failed"),
    "no tls": ("redis", PASSWORD, {}, "Error while reading"),
    "another password": ("rediss", "hunter-22", {"CODEPARK_REDIS_CA_FILE"}, "invalid username-password pair"),
}


@pytest.mark.parametrize("name", WRONG_REDIS)
def test_programs_that_redis_does_not_let_in_continue_without_it(install, secured_redis, certificates, name):
    scheme, password, trusting, reason = WRONG_REDIS[name]
    url = f"{scheme}://:{quote(password, safe='')}@127.0.0.1:{secured_redis.port}/0"
    installation = install(redis_url=url, **dict.fromkeys(trusting, str(certificates.authority)))
    works(installation)
    for program in (*installation.nodes, *installation.workers):
        reported = eventually(partial(complaints, program))  # a worker reports it after it has projected
        assert all(reason in why for _, why in reported)
        parts = [part for part, _ in reported]
        assert len(parts) == len(set(parts)), "each part reports once that Redis is unavailable"
        assert "Traceback" not in program.printed
        assert password not in program.printed
        assert quote(password, safe="") not in program.printed
