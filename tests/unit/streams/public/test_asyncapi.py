"""The AsyncAPI document, against the official JSON Schema of AsyncAPI 3.0.0."""

import hashlib
import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from read_api.realtime.events import event_document
from streams.public.asyncapi import asyncapi_document
from streams.public.message import public_message
from streams.public.publications import PUBLISHED
from streams.public.topics import public_topics
from tests.unit.commands.test_chain import a_record
from tests.unit.streams.public.samples import event_of, pseudonym, record_of

VENDORED = Path(__file__).parents[3] / "support" / "asyncapi"
SPECIFICATION = json.loads((VENDORED / "3.0.0.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.validator_for(SPECIFICATION)


def document(bootstrap="broker-1:9092, broker-2:9092", **options):
    return asyncapi_document("codepark.", "0.2.0", bootstrap, **options)


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def resolved(root, reference):
    node = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


@pytest.mark.parametrize("bootstrap", ["a:9092", "a:9092,b:9093", None])
@pytest.mark.parametrize("options", [{}, {"partitions": 8, "address": "https://park.example"}])
def test_it_is_asyncapi_3(bootstrap, options):
    VALIDATOR.validate(document(bootstrap, **options))


@pytest.mark.parametrize(
    "broken", [{"asyncapi": "2.6.0"}, {"channels": []}, {"servers": {"x": {"host": "x"}}}]
)
def test_the_specification_would_notice(broken):
    assert not VALIDATOR.is_valid({**document(), **broken})


def test_a_wrong_operation_would_be_noticed():
    described = document()
    next(iter(described["operations"].values()))["action"] = "subscribe"
    assert not VALIDATOR.is_valid(described)


@pytest.mark.parametrize("bootstrap", ["a:9092", None])
def test_references_lead_somewhere(bootstrap):
    described = document(bootstrap)
    for reference in references(described):
        assert resolved(described, reference)


def test_every_topic_and_event_is_in_it():
    described = document(partitions=8)
    topics = [channel for channel in described["channels"].values() if "kafka" in channel.get("bindings", {})]
    assert sorted(channel["address"] for channel in topics) == public_topics()
    assert all(channel["bindings"]["kafka"]["topic"] == channel["address"] for channel in topics)
    assert {channel["bindings"]["kafka"]["partitions"] for channel in topics} == {8}
    named = [name for channel in topics for name in channel["messages"]]
    assert sorted(named) == sorted(publication.type for publication in PUBLISHED)
    assert {operation["action"] for operation in described["operations"].values()} == {"receive"}


def test_servers():
    described = document(address="https://park.example")["servers"]
    assert described["kafka-2"] | {"description": ""} == {
        "host": "broker-2:9092",
        "protocol": "kafka",
        "description": "",
    }
    assert (described["live"]["protocol"], described["live"]["host"]) == ("wss", "park.example")


def test_a_message_leads_to_the_address_of_its_schema():
    described = document(address="https://park.example/")
    for publication in PUBLISHED:
        docs = described["components"]["messages"][publication.type]["externalDocs"]
        assert docs["url"] == f"https://park.example/schema/events/{publication.type}/{publication.version}"


def test_without_kafka_only_the_live_channels_are_left():
    described = document(None)
    assert [channel["address"] for channel in described["channels"].values()] == [
        "/ws/events",
        "/api/v1/events/stream",
    ]
    assert described["components"]["messages"] == {}
    assert {each.type for each in PUBLISHED} < set(described["components"]["schemas"])
    assert all(server["protocol"] != "kafka" for server in described["servers"].values())


@pytest.mark.parametrize("publication", PUBLISHED, ids=lambda publication: publication.type)
def test_real_messages_are_as_the_document_says(publication):
    described = document()
    event = event_of(publication.event)
    sent = public_message(event, record_of(event), 0, pseudonym=pseudonym)
    assert sent is not None
    message = described["components"]["messages"][publication.type]
    headers = {name: value.decode() for name, value in sent.headers}
    jsonschema_rs.validate(message["headers"], headers)
    assert headers.keys() == message["headers"]["properties"].keys()
    jsonschema_rs.validate(resolved(described, message["payload"]["$ref"]), json.loads(sent.value))


class OneEventLog:
    """A log whose events cannot be read."""

    def event(self, record):
        raise ValueError

    def request_of(self, record):
        return record.correlation, record.traceparent


def test_the_live_event_is_the_one_that_the_api_sends():
    live = document()["components"]["schemas"]["live"]
    shown = event_document(OneEventLog(), a_record(), "token")
    assert shown.keys() == live["properties"].keys()
    jsonschema_rs.validate(live, shown)


def test_the_specification_is_what_its_page_says():
    page = (VENDORED / "README.md").read_text(encoding="utf-8")
    sums = re.findall(r"^([0-9a-f]{64})  (\S+)$", page, re.MULTILINE)
    assert {name for _, name in sums} == {path.name for path in VENDORED.iterdir()} - {"README.md"}
    for digest, name in sums:
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == digest
