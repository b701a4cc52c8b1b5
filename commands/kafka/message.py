"""Between a record and a Kafka message: a CloudEvent in binary mode with CodePark's own headers beside it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, cast

from commands.chain import CHAIN_SIZE, LENGTHS, framed_length
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


_layouts: dict[tuple[str, ...], list[bytes] | None] = {}
"""For names of headers in the order of a message: each one framed, where they come sorted with the chain last."""


def covered(key: bytes | None, value: bytes | None, rest: Headers) -> bytes:
    """Return what the chain covers: key, value and each header, length-prefixed; *rest* is sorted, without `chain`."""
    return _joined(key or b"", value or b"", [_framed(name.encode()) + _framed(data) for name, data in rest])


def split_chain(message: Message) -> Chained | None:
    """Take a message apart, its headers sorted by name; None where it has no one chain."""
    headers = message.headers
    names = tuple([name for name, _ in headers])
    frames = _layouts[names] if names in _layouts else _learned(names)
    if frames is None:
        return _split_slowly(message)
    found = headers[-1][1]
    try:
        framed = [
            frame + LENGTHS[len(value)] + value  # type: ignore[arg-type, operator] # None is met below
            for frame, (_, value) in zip(frames, headers, strict=False)
        ]
    except (IndexError, TypeError):  # a long value, or none
        return _split_slowly(message)
    if found is None or len(found) != CHAIN_SIZE:
        return None
    body = _joined(message.key or b"", message.value or b"", framed)
    return Chained(found, body, cast("dict[str, bytes]", dict(headers)))


def _split_slowly(message: Message) -> Chained | None:
    try:
        rest = sorted(message.headers)
    except TypeError:  # two of one name, of which one has no value
        return None
    places = [at for at, (name, value) in enumerate(rest) if name == CHAIN or value is None]
    if len(places) != 1:
        return None
    name, found = rest.pop(places[0])
    if name != CHAIN or found is None or len(found) != CHAIN_SIZE:
        return None
    known = cast("list[tuple[str, bytes]]", rest)
    return Chained(found, covered(message.key, message.value, known), dict(known))


def _learned(names: tuple[str, ...]) -> list[bytes] | None:
    """Return the frames of a layout that needs no sorting; a foreign writer's many layouts are not kept for ever."""
    *rest, last = names or ("",)
    is_ours = last == CHAIN and CHAIN not in rest and all(a < b for a, b in pairwise(rest))
    frames = [_framed(name.encode()) for name in rest] if is_ours else None
    if len(_layouts) < _KEPT:
        _layouts[names] = frames
    return frames


def _joined(key: bytes, value: bytes, framed: list[bytes]) -> bytes:
    return b"".join([framed_length(len(key)), key, framed_length(len(value)), value, *framed])


def _framed(data: bytes) -> bytes:
    return framed_length(len(data)) + data


def to_record(message: Message, chain: bytes, found: Mapping[str, bytes]) -> Record:
    """Read the record that *message* carries, by its headers *found*; raise MalformedError."""
    try:
        topic, schema = _type(found["ce_dataschema"])
        index, count = _commit(found["commit"])
        return Record(
            source=found["ce_source"].decode(), home=(message.key or b"").decode(),
            stream=found["stream"].decode(), version=int(found["version"]), topic=topic, schema=schema,
            data=message.value or b"", sequence=int(found["sequence"]), at=int(found["at"]),
            command=found["command"].decode(), commit_index=index, commit_count=count,
            occurred_at=_milliseconds(found["ce_time"]), actor=found["actor"].decode(),
            correlation=found["correlation"].decode(), causation=_text(found.get("causation")),
            traceparent=_text(found.get("traceparent")), fingerprint=_text(found.get("fingerprint")), chain=chain,
        )  # fmt: skip
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


def _commit(commit: bytes) -> tuple[int, int]:
    index, _, count = commit.partition(b"/")
    return int(index), int(count)
