"""The bytes that a record's chain covers, and the chain (the same in every profile)."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from msgspec.structs import force_setattr

from domain.record import Record
from domain.times import rfc3339

CHAIN_SIZE = 32
TRACKING = "tracking"
"""Header with the tracking record that is stored with a command: name, NUL, notification id."""
_LEAF = b"\x00"
_NODE = b"\x02"
_KEPT = 1_024


class Common:
    """What the records of one command that carry events of one type have in common, encoded once.

    The segments lie between what differs from record to record; together they are all headers sorted by name.
    """

    __slots__ = ("_after_at", "_after_commit", "_after_id", "_after_stream", "_before_at", "_pairs", "_trace")

    def __init__(
        self,
        actor: str,
        causation: str | None,
        dataschema: str,
        source: str,
        time: str,
        topic: str,
        command: str,
        correlation: str,
        traceparent: str | None,
    ) -> None:
        """Encode what is shared."""
        cause = [] if causation is None else [("causation", causation.encode())]
        trace = [] if traceparent is None else [("traceparent", traceparent.encode())]
        first, schema = ("actor", actor.encode()), ("ce_dataschema", dataschema.encode())
        origin = ("ce_source", source.encode())
        what = [("ce_time", time.encode()), ("ce_type", topic.encode()), ("command", command.encode())]
        why = ("correlation", correlation.encode())
        self._pairs = (first, [*cause, schema], [origin, _SPECVERSION], what, [_CONTENT_TYPE, why], trace)
        self._before_at = _frames([first]) + _framed(b"at")
        self._after_at = _frames([*cause, schema]) + _framed(b"ce_id")
        self._after_id = _frames([origin, _SPECVERSION]) + _framed(b"ce_subject")
        self._after_stream = _frames(what) + _framed(b"commit")
        self._after_commit = _frames([_CONTENT_TYPE, why])
        self._trace = _frames(trace)

    def lay(self, record: Record, tracking: bytes | None = None) -> tuple[bytes, list[tuple[str, bytes]]]:
        """Return what the chain covers, and every header but `chain` sorted by name.

        Covered are key, value, then each header's name and value, all length-prefixed (u32, big-endian).
        """
        home, data, stream = record.home.encode(), record.data, record.stream.encode()
        at, version, sequence = b"%d" % record.at, b"%d" % record.version, b"%d" % record.sequence
        commit = b"%d/%d" % (record.commit_index, record.commit_count)
        name = record.id.encode()
        framed_stream = _framed(stream)
        own, kept = [], b""
        if record.fingerprint is not None:
            own = [("fingerprint", record.fingerprint.encode())]
            kept = _frames(own)
        last = [] if tracking is None else [(TRACKING, tracking)]
        covered = b"".join(
            (
                _framed(home),
                LENGTHS[len(data)],
                data,
                self._before_at,
                LENGTHS[len(at)],
                at,
                self._after_at,
                _framed(name),
                self._after_id,
                framed_stream,
                self._after_stream,
                LENGTHS[len(commit)],
                commit,
                self._after_commit,
                kept,
                _SEQUENCE,
                LENGTHS[len(sequence)],
                sequence,
                _STREAM,
                framed_stream,
                self._trace,
                _frames(last) if last else b"",
                _VERSION,
                LENGTHS[len(version)],
                version,
            )
        )
        first, schema, origin, what, why, trace = self._pairs
        pairs = [
            first,
            ("at", at),
            *schema,
            ("ce_id", name),
            *origin,
            ("ce_subject", stream),
            *what,
            ("commit", commit),
            *why,
            *own,
            ("sequence", sequence),
            ("stream", stream),
            *trace,
            *last,
            ("version", version),
        ]
        return covered, pairs


class _Lengths(dict[int, bytes]):
    """A length as u32, big-endian; the small ones are kept, for each message has forty."""

    def __missing__(self, length: int) -> bytes:
        found = length.to_bytes(4, "big")
        if len(self) < _KEPT:
            self[length] = found
        return found


LENGTHS = _Lengths()


def _framed(data: bytes) -> bytes:
    return LENGTHS[len(data)] + data


def _frames(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    return b"".join([_framed(name.encode()) + _framed(data) for name, data in pairs])


_SPECVERSION, _CONTENT_TYPE = ("ce_specversion", b"1.0"), ("content-type", b"application/json")
_SEQUENCE, _STREAM, _VERSION = _framed(b"sequence"), _framed(b"stream"), _framed(b"version")


@lru_cache(maxsize=1_024)
def _common(
    actor: str,
    causation: str | None,
    topic: str,
    schema: int,
    source: str,
    occurred_at: int,
    command: str,
    correlation: str,
    traceparent: str | None,
) -> Common:
    return Common(
        actor,
        causation,
        f"{topic}/{schema}",
        source,
        rfc3339(occurred_at),
        topic,
        command,
        correlation,
        traceparent,
    )


def laid(record: Record, tracking: bytes | None = None) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return what the chain covers of *record*, and its headers but `chain`; see `Common.lay`."""
    return _common(
        record.actor,
        record.causation,
        record.topic,
        record.schema,
        record.source,
        record.occurred_at,
        record.command,
        record.correlation,
        record.traceparent,
    ).lay(record, tracking)


def headers(record: Record) -> list[tuple[str, bytes]]:
    """Return every header but `chain`, sorted by name."""
    return laid(record)[1]


def chain_bytes(record: Record) -> bytes:
    """Return what the chain covers."""
    return laid(record)[0]


def leaf(covered: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ covered): what of a link does not depend on what precedes it."""
    return hashlib.sha256(_LEAF + covered).digest()


def link_leaf(previous: bytes, found: bytes) -> bytes:
    """Return SHA-256(0x02 ‖ previous ‖ leaf)."""
    return hashlib.sha256(_NODE + previous + found).digest()


def link(previous: bytes, covered: bytes) -> bytes:
    """Return SHA-256(0x02 ‖ previous ‖ SHA-256(0x00 ‖ covered))."""
    return link_leaf(previous, leaf(covered))


def chain_after(previous: bytes, record: Record) -> bytes:
    """Return the chain value of *record* behind *previous*: SHA-256(0x02 ‖ previous ‖ SHA-256(0x00 ‖ record))."""
    return link(previous, chain_bytes(record))


def chained(record: Record, previous: bytes) -> bytes:
    """Chain a record that nobody has seen yet behind *previous*, in place, and return its chain value."""
    chain = chain_after(previous, record)
    force_setattr(record, "chain", chain)
    return chain


def first_chain(log_id: str, partition: int, partitions: int) -> bytes:
    """Return the predecessor of a partition's first record: SHA-256(u32 length ‖ log id ‖ u32 partition ‖ u32 partitions)."""
    name = log_id.encode()
    numbers = partition.to_bytes(4, "big") + partitions.to_bytes(4, "big")
    return hashlib.sha256(len(name).to_bytes(4, "big") + name + numbers).digest()


def source_of(log_id: str) -> str:
    """Return the CloudEvents source of a log's records."""
    return f"urn:codepark:log:{log_id}"
