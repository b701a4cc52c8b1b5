"""Between a record and a Kafka message: a CloudEvent in binary mode, with headers of CodePark's own."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from commands.chain import CHAIN_SIZE
from commands.record_headers import LENGTHS, NAMES, OPERATED_BY, Header
from domain.record import Record
from domain.times import from_rfc3339

CHAIN = "chain"
OPENED = "log.opened"
"""Type of the first counted message of a partition: it names the log and fixes the number of partitions."""
TRACKED = "log.tracked"
"""Type of a message with a tracking record and no event: it extends the chain and takes no sequence."""


class Message(NamedTuple):
    """A message as it lies in the partition."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class MalformedError(ValueError):
    """A message that extends the chain and cannot be read as a record."""


class ChainedMessage(NamedTuple):
    """The chain value of a message, the bytes that it covers, and the other headers by name."""

    chain: bytes
    covered: bytes
    values: dict[str, bytes]


def covered_bytes(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> bytes:
    """Return what the chain covers: key, value and each header, all length-prefixed.

    *headers* are sorted by name and come without `chain`.
    """
    key, value = key or b"", value or b""
    parts = [LENGTHS[len(key)], key, LENGTHS[len(value)], value]
    for name, data in headers:
        parts += (NAMES[name], LENGTHS[len(data)], data)
    return b"".join(parts)


def split_chain(message: Message) -> ChainedMessage | None:
    """Separate the chain value of *message* from what it covers; None unless it has exactly one."""
    chain = None
    headers: list[Header] = []
    for name, value in message.headers:
        if value is None:
            return None
        if name != CHAIN:
            headers.append((name, value))
        elif chain is None and len(value) == CHAIN_SIZE:
            chain = value
        else:
            return None
    if chain is None:
        return None
    headers.sort()
    return ChainedMessage(chain, covered_bytes(message.key, message.value, headers), dict(headers))


def is_at_expected_offset(message: Message, values: Mapping[str, bytes]) -> bool:
    """Return whether *message* lies where its writer expected it; *values* are its headers."""
    return values.get("at") == b"%d" % message.offset


def to_record(message: Message, chain: bytes, values: Mapping[str, bytes]) -> Record:
    """Read the record that *message* with the headers *values* carries; raise MalformedError."""
    try:
        topic, schema = _topic_and_schema(values["ce_dataschema"])
        index, count = _index_and_count(values["commit"])
        return Record(
            source=values["ce_source"].decode(),
            home=(message.key or b"").decode(),
            stream=values["stream"].decode(),
            version=int(values["version"]),
            topic=topic,
            schema=schema,
            data=message.value or b"",
            sequence=int(values["sequence"]),
            at=int(values["at"]),
            command=values["command"].decode(),
            commit_index=index,
            commit_count=count,
            occurred_at=_milliseconds(values["ce_time"]),
            actor=values["actor"].decode(),
            correlation=values["correlation"].decode(),
            causation=_text(values.get("causation")),
            traceparent=_text(values.get("traceparent")),
            fingerprint=_text(values.get("fingerprint")),
            operated_by=_text(values.get(OPERATED_BY)),
            chain=chain,
        )
    except (KeyError, ValueError) as error:
        raise MalformedError(f"the message at offset {message.offset} cannot be read: {error}") from error


@lru_cache(maxsize=4_096)
def _milliseconds(time: bytes) -> int:
    """Read an event time; all events of a batch have the same one."""
    return from_rfc3339(time.decode())


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


@lru_cache(maxsize=256)
def _topic_and_schema(dataschema: bytes) -> tuple[str, int]:
    topic, _, schema = dataschema.decode().rpartition("/")
    return topic, int(schema)


@lru_cache(maxsize=256)
def _index_and_count(commit: bytes) -> tuple[int, int]:
    index, _, count = commit.partition(b"/")
    return int(index), int(count)
