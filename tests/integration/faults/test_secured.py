"""Kafka and MongoDB with TLS and passwords: the settings reach every client, and a wrong one is said in a sentence."""

import httpx
import pytest

from cluster.servers import make_certificates
from tests.support.cluster import private_kafka, private_mongo
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
    """A command is accepted, and a worker shows it."""
    node = installation.start_nodes(1, with_address=False)[0]
    installation.start_worker("projections")
    with node.client() as client:
        answer = client.post("/api/v1/projects", json={"name": "p"})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        path, after = f"/api/v1/projects/{answer.json()['id']}", answer.headers["CodePark-Position"]
        eventually(lambda: client.get(path, headers={"CodePark-After": after}).is_success, seconds=30)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_kafka_with_tls_and_a_password(install, secured_kafka, certificates, mechanism):
    works(install(
        kafka=secured_kafka.sasl_ssl_address, CODEPARK_KAFKA_CA_FILE=str(certificates.authority),
        CODEPARK_KAFKA_SASL_MECHANISM=mechanism, **USER,
    ))  # fmt: skip


def test_kafka_with_tls_alone(install, secured_kafka, certificates):
    works(install(kafka=secured_kafka.ssl_address, CODEPARK_KAFKA_CA_FILE=str(certificates.authority)))


WRONG = {
    "another authority": ("ssl_address", {"CODEPARK_KAFKA_SECURITY_PROTOCOL": "SSL"}),
    "no tls": ("ssl_address", {}),
    "another password": ("sasl_ssl_address", {**USER, "CODEPARK_KAFKA_SASL_PASSWORD": "wrong"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_node_that_kafka_does_not_let_in_takes_nothing(install, secured_kafka, certificates, name):
    address, given = WRONG[name]
    trusted = {"CODEPARK_KAFKA_CA_FILE": str(certificates.authority)} if "password" in name else {}
    node = install(kafka=getattr(secured_kafka, address), **given, **trusted).node()
    node.launch()
    node.wait_live()
    eventually(lambda: "broker away" in node.printed, seconds=30)
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
        eventually(lambda: "read models away" in node.printed, seconds=30)
        assert node.health("ready") == httpx.codes.SERVICE_UNAVAILABLE
        assert PASSWORD not in node.printed
