"""The AsyncAPI 3.0 document: the public topics and the live channels, from the side of a reader."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from streams.public.live import live_channels, live_operations, live_schema
from streams.public.message import BINARY_TYPE
from streams.public.publications import PUBLISHED, Publication
from streams.public.schemas import dataschema, inlined, schema, schema_path
from streams.public.topics import public_topics

_DOCUMENT = dict[str, Any]
_TOPIC_BINDING, _MESSAGE_BINDING, _OPERATION_BINDING = "0.5.0", "0.5.0", "0.5.0"
_DESCRIPTION = (
    "Events of a CodePark installation, described for a program that receives them: the operations are what "
    "the program does. Public topics carry no personal data and no contents. Delivery is at least once: drop "
    "an event whose `ce_id` you have seen."
)
_KEY = "The pseudonym of the project or the announcement; `accounts` for accounts."
_INNER = frozenset({"$schema", "$id", "$defs"})


def asyncapi_document(
    prefix: str,
    version: str,
    bootstrap: str | None,
    *,
    address: str = "http://127.0.0.1:3000",
    partitions: int | None = None,
) -> _DOCUMENT:
    """Return the document of an installation.

    *bootstrap* holds the brokers that analysts connect to, `host:port` with commas between; None, as in the
    embedded profile, leaves the topics out; the schemas of public events are there in both, for analysts get
    them from the live channels too. *address* is where the API answers. *partitions* is the public topics'
    number.
    """
    topics = [] if bootstrap is None else public_topics(prefix)
    published = [publication for publication in PUBLISHED if topics]
    brokers = _brokers(bootstrap)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CodePark events",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": BINARY_TYPE,
        "servers": {**brokers, **_api(address)},
        "channels": {
            **{_id(topic, prefix): _channel(topic, prefix, partitions, brokers) for topic in topics},
            **live_channels(),
        },
        "operations": {
            **{f"receive-{_id(topic, prefix)}": _operation(topic, prefix) for topic in topics},
            **live_operations(),
        },
        "components": {
            "messages": {publication.type: _message(publication, address) for publication in published},
            "schemas": {
                **{publication.type: _payload(publication) for publication in PUBLISHED},
                "live": live_schema(),
            },
        },
    }


def _brokers(bootstrap: str | None) -> _DOCUMENT:
    hosts = [] if bootstrap is None else [host.strip() for host in bootstrap.split(",")]
    return {
        f"kafka-{number}": {"host": host, "protocol": "kafka", "description": "A broker to start from."}
        for number, host in enumerate((host for host in hosts if host), 1)
    }


def _api(address: str) -> _DOCUMENT:
    parts = urlsplit(address)
    web_socket = "wss" if parts.scheme == "https" else "ws"
    return {
        "live": {"host": parts.netloc, "protocol": web_socket, "description": "The API's WebSocket."},
        "api": {"host": parts.netloc, "protocol": parts.scheme, "description": "The API."},
    }


def _id(topic: str, prefix: str) -> str:
    """Return the id of a topic's channel, which does not depend on the installation's prefix."""
    return topic.removeprefix(prefix)


def _of(topic: str, prefix: str) -> list[Publication[Any]]:
    return [publication for publication in PUBLISHED if publication.topic == _id(topic, prefix)]


def _channel(topic: str, prefix: str, partitions: int | None, brokers: Iterable[str]) -> _DOCUMENT:
    binding: _DOCUMENT = {"topic": topic, "bindingVersion": _TOPIC_BINDING}
    if partitions is not None:
        binding["partitions"] = partitions
    return {
        "address": topic,
        "description": "The events of one project come in order. Delivery is at least once.",
        "servers": [{"$ref": f"#/servers/{broker}"} for broker in brokers],
        "messages": {
            publication.type: {"$ref": f"#/components/messages/{publication.type}"}
            for publication in _of(topic, prefix)
        },
        "bindings": {"kafka": binding},
    }


def _operation(topic: str, prefix: str) -> _DOCUMENT:
    group = {
        "type": "string",
        "description": "A name that you choose: Kafka stores under it how far you have read.",
    }
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_id(topic, prefix)}"},
        "summary": f"Receive the events of {topic}.",
        "messages": [
            {"$ref": f"#/channels/{_id(topic, prefix)}/messages/{publication.type}"}
            for publication in _of(topic, prefix)
        ],
        "bindings": {"kafka": {"groupId": group, "bindingVersion": _OPERATION_BINDING}},
    }


def _message(publication: Publication[Any], address: str) -> _DOCUMENT:
    return {
        "name": publication.type,
        "title": publication.shape.__name__,
        "summary": schema(publication)["description"],
        "contentType": BINARY_TYPE,
        "headers": _headers(publication),
        "payload": {"$ref": f"#/components/schemas/{publication.type}"},
        "externalDocs": {
            "description": "The JSON Schema of the event.",
            "url": address.rstrip("/") + schema_path(publication),
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": _KEY},
                "bindingVersion": _MESSAGE_BINDING,
            }
        },
    }


def _headers(publication: Publication[Any]) -> _DOCUMENT:
    properties: _DOCUMENT = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "description": "The event's pseudonym; unique in its source.",
        },
        "ce_source": {"type": "string", "format": "uri", "description": "The log."},
        "ce_type": {"const": publication.type},
        "ce_subject": {"type": "string", "description": "What the event is about."},
        "ce_time": {
            "type": "string",
            "format": "date-time",
            "description": "When it happened, to the minute; to the day for events of accounts.",
        },
        "ce_dataschema": {"const": dataschema(publication)},
        "ce_actor": {"type": "string", "description": "The actor: a pseudonym, or `service`."},
        "content-type": {"const": BINARY_TYPE},
    }
    required = [name for name in properties if name != "ce_actor"]
    return {"type": "object", "properties": properties, "required": required}


def _payload(publication: Publication[Any]) -> _DOCUMENT:
    return {name: value for name, value in inlined(schema(publication)).items() if name not in _INNER}
