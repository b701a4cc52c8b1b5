"""The bytes that a record's chain covers, and the chain (the same in every profile)."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from msgspec.structs import force_setattr

from domain.record import Record
from domain.times import rfc3339

CHAIN_SIZE = 32
_LEAF = b"\x00"
_NODE = b"\x02"


def headers(record: Record) -> Iterable[tuple[str, bytes]]:
    """Yield every header but `chain`, sorted by name (they are sorted here, once, by hand)."""
    yield "actor", record.actor.encode()
    yield "at", b"%d" % record.at
    if record.causation is not None:
        yield "causation", record.causation.encode()
    yield "ce_dataschema", f"{record.topic}/{record.schema}".encode()
    yield "ce_id", record.id.encode()
    yield "ce_source", record.source.encode()
    yield "ce_specversion", b"1.0"
    yield "ce_subject", record.stream.encode()
    yield "ce_time", rfc3339(record.occurred_at).encode()
    yield "ce_type", record.topic.encode()
    yield "command", record.command.encode()
    yield "commit", b"%d/%d" % (record.commit_index, record.commit_count)
    yield "content-type", b"application/json"
    yield "correlation", record.correlation.encode()
    if record.fingerprint is not None:
        yield "fingerprint", record.fingerprint.encode()
    yield "sequence", b"%d" % record.sequence
    yield "stream", record.stream.encode()
    if record.traceparent is not None:
        yield "traceparent", record.traceparent.encode()
    yield "version", b"%d" % record.version


def chain_bytes(record: Record) -> bytes:
    """Return what the chain covers: key, value, then each header's name and value, all length-prefixed (u32).

    It writes out what `headers` yields: this runs for each event, and a generator of pairs costs twice as much.
    """
    stream, data = _framed(record.stream), record.data
    parts = [_framed(record.home), len(data).to_bytes(4, "big"), data, _ACTOR, _known(record.actor), _AT]
    parts.append(_framed(str(record.at)))
    if record.causation is not None:
        parts += (_CAUSATION, _framed(record.causation))
    parts += (
        _DATASCHEMA, _known(f"{record.topic}/{record.schema}"), _ID, _framed(record.id),
        _SOURCE, _known(record.source), _SPECVERSION, _SUBJECT, stream,
        _TIME, _known(rfc3339(record.occurred_at)), _TYPE, _known(record.topic),
        _COMMAND, _framed(record.command), _COMMIT, _known(f"{record.commit_index}/{record.commit_count}"),
        _CONTENT_TYPE, _CORRELATION, _framed(record.correlation),
    )  # fmt: skip
    if record.fingerprint is not None:
        parts += (_FINGERPRINT, _framed(record.fingerprint))
    parts += (_SEQUENCE, _framed(str(record.sequence)), _STREAM, stream)
    if record.traceparent is not None:
        parts += (_TRACEPARENT, _framed(record.traceparent))
    parts += (_VERSION, _known(str(record.version)))
    return b"".join(parts)


def _framed(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "big") + data


_known = lru_cache(maxsize=4_096)(_framed)
"""Frame what many records share."""

_ACTOR, _AT, _CAUSATION = _framed("actor"), _framed("at"), _framed("causation")
_DATASCHEMA, _ID, _SOURCE = _framed("ce_dataschema"), _framed("ce_id"), _framed("ce_source")
_SPECVERSION = _framed("ce_specversion") + _framed("1.0")
_SUBJECT, _TIME, _TYPE = _framed("ce_subject"), _framed("ce_time"), _framed("ce_type")
_COMMAND, _COMMIT = _framed("command"), _framed("commit")
_CONTENT_TYPE = _framed("content-type") + _framed("application/json")
_CORRELATION, _FINGERPRINT = _framed("correlation"), _framed("fingerprint")
_SEQUENCE, _STREAM = _framed("sequence"), _framed("stream")
_TRACEPARENT, _VERSION = _framed("traceparent"), _framed("version")


def chain_after(previous: bytes, record: Record) -> bytes:
    """Return the chain value of *record* behind *previous*: SHA-256(0x02 ‖ previous ‖ SHA-256(0x00 ‖ record))."""
    leaf = hashlib.sha256(_LEAF + chain_bytes(record)).digest()
    return hashlib.sha256(_NODE + previous + leaf).digest()


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
