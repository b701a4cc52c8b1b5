"""What is wrong with a setting of the cluster profile is said in a sentence that names the variable."""

import base64
from pathlib import Path

import pytest

from codepark.settings import read_settings
from commands.environment import SettingsError
from commands.kafka.settings import read_kafka_settings

KEY = base64.b64encode(bytes(range(32))).decode()
CLUSTER = {
    "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9092,kafka-2:9092",
    "CODEPARK_MONGODB_URI": "mongodb://user:hunter2@mongo/codepark",
    "CODEPARK_REDIS_URL": "redis://:hunter2@redis:6379/0",
    "CODEPARK_SECRET_KEY": KEY,
}


def without(*names):
    return {name: value for name, value in CLUSTER.items() if name not in names}


def test_a_cluster_is_read():
    settings = read_settings(
        CLUSTER | {"CODEPARK_TOPIC_PREFIX": "acme.", "CODEPARK_NODE_ADDRESS": "node-1:7000"}
    )
    assert settings.kafka.bootstrap_servers == "kafka-1:9092,kafka-2:9092"
    assert settings.kafka.topic == "acme.events"
    assert settings.prefix == "acme."
    assert settings.node_address == "node-1:7000"
    assert set(settings.redis.__struct_fields__) == {"cache", "sessions", "queue", "pubsub"}
    assert {settings.redis.cache, settings.redis.queue} == {CLUSTER["CODEPARK_REDIS_URL"]}


def test_without_kafka_it_is_the_embedded_profile():
    settings = read_settings({})
    assert (settings.kafka, settings.redis, settings.mongodb_uri) == (None, None, None)
    assert settings.prefix == "codepark."


def test_secrets_are_not_shown():
    settings = read_settings(
        CLUSTER
        | {
            "CODEPARK_KAFKA_SASL_USERNAME": "u",
            "CODEPARK_KAFKA_SASL_PASSWORD": "hunter2",
        }
    )
    assert "hunter2" not in repr(settings) + repr(settings.kafka)
    assert KEY not in repr(settings)


def test_the_usual_names_stand_in():
    renamed = without("CODEPARK_MONGODB_URI", "CODEPARK_REDIS_URL")
    settings = read_settings(renamed | {"MONGODB_URI": "mongodb://m/", "REDIS_URL": "redis://r/"})
    assert (settings.mongodb_uri, settings.redis.cache) == ("mongodb://m/", "redis://r/")


def test_each_use_of_redis_may_have_its_own():
    uses = {
        f"CODEPARK_REDIS_{use}_URL": f"redis://{use}/" for use in ("CACHE", "SESSIONS", "QUEUE", "PUBSUB")
    }
    settings = read_settings(without("CODEPARK_REDIS_URL") | uses)
    assert (settings.redis.cache, settings.redis.pubsub) == ("redis://CACHE/", "redis://PUBSUB/")
    one = read_settings(CLUSTER | {"CODEPARK_REDIS_CACHE_URL": "redis://other/"})
    assert (one.redis.cache, one.redis.queue) == ("redis://other/", CLUSTER["CODEPARK_REDIS_URL"])


WRONG = {
    "CODEPARK_HOST_AND_PORT": (
        {"CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "kafka"},
        "CODEPARK_KAFKA_BOOTSTRAP_SERVERS",
    ),
    "no port": (
        {"CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092,other:"},
        "CODEPARK_KAFKA_BOOTSTRAP_SERVERS",
    ),
    "prefix": ({"CODEPARK_TOPIC_PREFIX": "a b"}, "CODEPARK_TOPIC_PREFIX"),
    "long prefix": ({"CODEPARK_TOPIC_PREFIX": "a" * 101}, "CODEPARK_TOPIC_PREFIX"),
    "foreign letters": ({"CODEPARK_TOPIC_PREFIX": "ä."}, "CODEPARK_TOPIC_PREFIX"),
    "partitions": ({"CODEPARK_PARTITIONS": "many"}, "CODEPARK_PARTITIONS"),
    "no partitions": ({"CODEPARK_PARTITIONS": "0"}, "CODEPARK_PARTITIONS"),
    "too many partitions": ({"CODEPARK_PARTITIONS": "65"}, "CODEPARK_PARTITIONS"),
    "mechanism": ({"CODEPARK_KAFKA_SASL_MECHANISM": "GSSAPI"}, "CODEPARK_KAFKA_SASL_MECHANISM"),
    "protocol": ({"CODEPARK_KAFKA_SECURITY_PROTOCOL": "TLS"}, "CODEPARK_KAFKA_SECURITY_PROTOCOL"),
    "user alone": ({"CODEPARK_KAFKA_SASL_USERNAME": "u"}, "CODEPARK_KAFKA_SASL_PASSWORD"),
    "password alone": ({"CODEPARK_KAFKA_SASL_PASSWORD": "p"}, "CODEPARK_KAFKA_SASL_USERNAME"),
    "password file": (
        {"CODEPARK_KAFKA_SASL_USERNAME": "u", "CODEPARK_KAFKA_SASL_PASSWORD_FILE": "/nowhere"},
        "CODEPARK_KAFKA_SASL_PASSWORD_FILE",
    ),
    "mechanism without a user": ({"CODEPARK_KAFKA_SASL_MECHANISM": "PLAIN"}, "CODEPARK_KAFKA_SASL_USERNAME"),
    "protocol without a user": (
        {"CODEPARK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
        "CODEPARK_KAFKA_SASL_USERNAME",
    ),
    "user without its protocol": (
        {
            "CODEPARK_KAFKA_SECURITY_PROTOCOL": "SSL",
            "CODEPARK_KAFKA_SASL_USERNAME": "u",
            "CODEPARK_KAFKA_SASL_PASSWORD": "p",
        },
        "CODEPARK_KAFKA_SECURITY_PROTOCOL",
    ),
    "kafka's authority": ({"CODEPARK_KAFKA_CA_FILE": "/nowhere"}, "CODEPARK_KAFKA_CA_FILE"),
    "kafka's certificate": (
        {"CODEPARK_KAFKA_CERTIFICATE_FILE": "/nowhere"},
        "CODEPARK_KAFKA_CERTIFICATE_FILE",
    ),
    "kafka's key": ({"CODEPARK_KAFKA_KEY_FILE": "/nowhere"}, "CODEPARK_KAFKA_KEY_FILE"),
    "mongodb's authority": ({"CODEPARK_MONGODB_CA_FILE": "/nowhere"}, "CODEPARK_MONGODB_CA_FILE"),
    "redis's authority": ({"CODEPARK_REDIS_CA_FILE": "/nowhere"}, "CODEPARK_REDIS_CA_FILE"),
    "mongodb's scheme": ({"CODEPARK_MONGODB_URI": "http://mongo/"}, "CODEPARK_MONGODB_URI"),
    "redis's scheme": ({"CODEPARK_REDIS_URL": "http://redis/"}, "CODEPARK_REDIS_URL"),
    "node address": ({"CODEPARK_NODE_ADDRESS": "node"}, "CODEPARK_NODE_ADDRESS"),
    "node address without a host": ({"CODEPARK_NODE_ADDRESS": ":7000"}, "CODEPARK_NODE_ADDRESS"),
    "node address's port": ({"CODEPARK_NODE_ADDRESS": "node:70000"}, "CODEPARK_NODE_ADDRESS"),
    "secret": ({"CODEPARK_SECRET_KEY": "short"}, "CODEPARK_SECRET_KEY"),
    "two secrets": ({"CODEPARK_SECRET_KEY_FILE": "/nowhere"}, "CODEPARK_SECRET_KEY_FILE"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named(name):
    values, variable = WRONG[name]
    with pytest.raises(SettingsError, match=variable) as caught:
        read_settings(CLUSTER | values)
    assert "hunter2" not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["CODEPARK_MONGODB_URI", "CODEPARK_REDIS_URL", "CODEPARK_SECRET_KEY"])
def test_half_a_cluster_is_refused(name):
    with pytest.raises(SettingsError, match=name):
        read_settings(without(name))


def test_mongodb_without_kafka_is_half_a_cluster():
    with pytest.raises(SettingsError, match="CODEPARK_KAFKA_BOOTSTRAP_SERVERS"):
        read_settings({"CODEPARK_MONGODB_URI": "mongodb://mongo/"})


def test_a_use_of_redis_that_is_missing_is_named():
    with pytest.raises(SettingsError, match="CODEPARK_REDIS_SESSIONS_URL is missing"):
        read_settings(without("CODEPARK_REDIS_URL") | {"CODEPARK_REDIS_CACHE_URL": "redis://c/"})


def kafka(**values):
    named = {f"CODEPARK_KAFKA_{name}": value for name, value in values.items()}
    return read_kafka_settings({"CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "k:9092", **named})


def test_the_protocol_follows_from_what_is_given(tmp_path):
    authority = str(_file(tmp_path, "ca.pem"))
    assert kafka().security_protocol == "PLAINTEXT"
    assert kafka(CA_FILE=authority).security_protocol == "SSL"
    with_user = kafka(SASL_USERNAME="u", SASL_PASSWORD="p")
    assert (with_user.security_protocol, with_user.sasl_mechanism) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    both = kafka(CA_FILE=authority, SASL_USERNAME="u", SASL_PASSWORD="p", SASL_MECHANISM="PLAIN")
    assert (both.security_protocol, both.sasl_mechanism) == ("SASL_SSL", "PLAIN")


def test_a_password_may_lie_in_a_file(tmp_path):
    file = _file(tmp_path, "password", "p\n")
    assert kafka(SASL_USERNAME="u", SASL_PASSWORD_FILE=str(file)).sasl_password == "p"


def test_an_authority_that_is_none_is_named(tmp_path):
    settings = kafka(CA_FILE=str(_file(tmp_path, "ca.pem", "not a certificate")))
    with pytest.raises(SettingsError, match="CODEPARK_KAFKA_CA_FILE"):
        settings.client_options()


def _file(folder: Path, name: str, text: str = "") -> Path:
    file = folder / name
    file.write_text(text)
    return file
