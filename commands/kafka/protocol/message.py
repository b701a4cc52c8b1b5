"""Between a record and a Kafka message: a CloudEvent in binary mode with CodePark's own headers beside it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from commands.chain import CHAIN_SIZE, LENGTHS
from domain.record import Record
from domain.times import from_rfc3339

CHAIN = "chain"
OPENED = "log.opened"
"""Type of the first counted message of a partition: it names the log and fixes the number of partitions."""
TRACKED = "log.tracked"
"""Type of a message that keeps a tracking record alone: it extends the chain and takes no sequence."""

Headers = Sequence[tuple[str, bytes]]
_KEPT = 1_024


class Message(NamedTuple):
    """A message as it lies in the partition."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class MalformedError(ValueError):
    """A message that carries a chain that fits, and nothing that can be read as a record."""


class Chained(NamedTuple):
    """A message's chain value, the bytes that it covers, and the headers by name."""

    chain: bytes
    covered: bytes
    values: dict[str, bytes]


class _Names(dict[str, bytes]):
    """A header's name behind its length; a foreign writer's many names are not kept for ever."""

    def __missing__(self, name: str) -> bytes:
        encoded = name.encode()
        found = LENGTHS[len(encoded)] + encoded
        if len(self) < _KEPT:
            self[name] = found
        return found


_NAMES = _Names()


def covered(key: bytes | None, value: bytes | None, rest: Headers) -> bytes:
    """Return what the chain covers: key, value and each header, length-prefixed; *rest* is sorted, without `chain`."""
    key, value = key or b"", value or b""
    parts = [LENGTHS[len(key)], key, LENGTHS[len(value)], value]
    for name, data in rest:
        parts += (_NAMES[name], LENGTHS[len(data)], data)
    return b"".join(parts)


def split_chain(message: Message) -> Chained | None:
    """Take a message apart, its headers sorted by name; None where it has no one chain."""
    found = None
    rest: list[tuple[str, bytes]] = []
    for name, value in message.headers:
        if value is None:
            return None
        if name != CHAIN:
            rest.append((name, value))
        elif found is None and len(value) == CHAIN_SIZE:
            found = value
        else:
            return None
    if found is None:
        return None
    rest.sort()
    return Chained(found, covered(message.key, message.value, rest), dict(rest))


def lies_at_its_place(message: Message, values: Mapping[str, bytes]) -> bool:
    """Tell whether *message* lies where its writer expected it."""
    return values.get("at") == b"%d" % message.offset


def to_record(message: Message, chain: bytes, found: Mapping[str, bytes]) -> Record:
    """Read the record that *message* carries, by its headers *found*; raise MalformedError."""
    try:
        topic, schema = _type(found["ce_dataschema"])
        index, count = _commit(found["commit"])
        return Record(
            source=found["ce_source"].decode(),
            home=(message.key or b"").decode(),
            stream=found["stream"].decode(),
            version=int(found["version"]),
            topic=topic,
            schema=schema,
            data=message.value or b"",
            sequence=int(found["sequence"]),
            at=int(found["at"]),
            command=found["command"].decode(),
            commit_index=index,
            commit_count=count,
            occurred_at=_milliseconds(found["ce_time"]),
            actor=found["actor"].decode(),
            correlation=found["correlation"].decode(),
            causation=_text(found.get("causation")),
            traceparent=_text(found.get("traceparent")),
            fingerprint=_text(found.get("fingerprint")),
            chain=chain,
        )
    except (KeyError, ValueError) as error:
        raise MalformedError(f"the message at {message.offset} cannot be read: {error}") from error


@lru_cache(maxsize=4_096)
def _milliseconds(time: bytes) -> int:
    """Read an event time; the events of a command, and of a batch, share theirs."""
    return from_rfc3339(time.decode())


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


@lru_cache(maxsize=256)
def _type(dataschema: bytes) -> tuple[str, int]:
    topic, _, schema = dataschema.decode().rpartition("/")
    return topic, int(schema)


@lru_cache(maxsize=256)
def _commit(commit: bytes) -> tuple[int, int]:
    index, _, count = commit.partition(b"/")
    return int(index), int(count)
