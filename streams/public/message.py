"""From an event and its record to the message that analysts read: CloudEvents 1.0 over Kafka.

A message is a pure function of the event, its record and the installation's pseudonyms. Therefore a worker
that publishes an event twice publishes the same bytes twice, and a reader can drop the second by its `id`.
"""

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from domain.event import Event
from domain.record import Record
from domain.times import rfc3339
from streams.public.events import PublicEvent
from streams.public.pseudonyms import Names, Pseudonym
from streams.public.publications import publication_of
from streams.public.schemas import dataschema
from streams.public.times import public_time
from streams.public.topics import DEFAULT_PREFIX

BINARY_TYPE = "application/json"
STRUCTURED_TYPE = "application/cloudevents+json"
_ATTRIBUTE = "ce_"
_PARTITION_KEY = "partitionkey"

Headers = tuple[tuple[str, bytes], ...]


class PublicationError(Exception):
    """A message would not match its schema, and is therefore not published."""


class PublicMessage(Struct, frozen=True, kw_only=True):
    """A Kafka record of a public topic. The topic's partition follows from the key.

    *timestamp* is that of the Kafka record, in milliseconds: the rounded time of the event.
    """

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    timestamp: int


def public_message(
    event: Event,
    record: Record,
    partition: int,
    *,
    pseudonym: Pseudonym,
    prefix: str = DEFAULT_PREFIX,
) -> PublicMessage | None:
    """Return the public message of *event*, which *record* in *partition* carries; None if it is withheld.

    The message uses the binary mode of the CloudEvents binding for Kafka.

    Raises:
        PublicationError: a field has a value that the public schema does not allow.
    """
    publication = publication_of(event.TOPIC)
    if publication is None:
        return None
    names = Names(pseudonym, record.home)
    time = public_time(record.occurred_at, of_account=publication.of_account)
    return PublicMessage(
        topic=prefix + publication.topic,
        key=names.home().encode(),
        value=_value(publication.convert(event, names)),
        headers=(
            ("ce_specversion", b"1.0"),
            ("ce_id", names.event(partition, record.sequence).encode()),
            ("ce_source", record.source.encode()),
            ("ce_type", publication.type.encode()),
            ("ce_subject", names.subject(record.stream).encode()),
            ("ce_time", rfc3339(time).encode()),
            ("ce_dataschema", dataschema(publication).encode()),
            *((("ce_actor", names.person(record.actor).encode()),) if record.actor else ()),
            ("content-type", BINARY_TYPE.encode()),
        ),
        timestamp=time,
    )


def structured(message: PublicMessage) -> PublicMessage:
    """Return *message* in the structured mode, with the whole CloudEvent in the value."""
    attributes: dict[str, Any] = {
        name.removeprefix(_ATTRIBUTE): value.decode()
        for name, value in message.headers
        if name.startswith(_ATTRIBUTE)
    }
    document = {
        **attributes,
        _PARTITION_KEY: message.key.decode(),
        "datacontenttype": BINARY_TYPE,
        "data": Raw(message.value),
    }
    return PublicMessage(
        topic=message.topic,
        key=message.key,
        value=msgspec.json.encode(document),
        headers=(("content-type", STRUCTURED_TYPE.encode()),),
        timestamp=message.timestamp,
    )


def _value(public: PublicEvent) -> bytes:
    value = msgspec.json.encode(public)
    try:
        _decoder(type(public)).decode(value)
    except msgspec.ValidationError as error:
        raise PublicationError(f"{type(public).__name__}: {error}") from error
    return value


@lru_cache
def _decoder(shape: type[PublicEvent]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)
