"""A record's headers, and the bytes that its chain value covers: the same in every profile."""

from collections.abc import Iterable

from domain.record import Record
from domain.times import rfc3339

TRACKING = "tracking"
"""Header with the tracking record that is stored with a command: name, NUL, notification id."""
Header = tuple[str, bytes]

_CACHED = 1_024


class _Lengths(dict[int, bytes]):
    """Lengths as u32, big-endian; the small ones are cached, for each message has forty."""

    def __missing__(self, length: int) -> bytes:
        encoded = length.to_bytes(4, "big")
        if len(self) < _CACHED:
            self[length] = encoded
        return encoded


class _Names(dict[str, bytes]):
    """Header names, each after its length; the many names of a foreign writer are not cached for ever."""

    def __missing__(self, name: str) -> bytes:
        framed = _framed(name.encode())
        if len(self) < _CACHED:
            self[name] = framed
        return framed


LENGTHS, NAMES = _Lengths(), _Names()
_SHORT = [LENGTHS[length] for length in range(100)]
"""The lengths of what is always short: decimal numbers of 64 bits."""


def _framed(data: bytes) -> bytes:
    return LENGTHS[len(data)] + data


def _frames(headers: Iterable[Header]) -> bytes:
    return b"".join([NAMES[name] + LENGTHS[len(data)] + data for name, data in headers])


def _header(name: str, text: str) -> Header:
    return name, text.encode()


def _optional(name: str, text: str | None) -> list[Header]:
    return [] if text is None else [(name, text.encode())]


_SPECVERSION, _CONTENT_TYPE = ("ce_specversion", b"1.0"), ("content-type", b"application/json")
_AT, _COMMIT, _ID, _SUBJECT = NAMES["at"], NAMES["commit"], NAMES["ce_id"], NAMES["ce_subject"]
_FINGERPRINT, _TRACKING = NAMES["fingerprint"], NAMES[TRACKING]
OPERATED_BY = "operated-by"
"""Header with the principal that acted for the record's actor; absent where nobody did."""

_SEQUENCE, _STREAM, _VERSION = NAMES["sequence"], NAMES["stream"], NAMES["version"]


class SharedHeaders:
    """The headers that the records of one command share if their events have one type, encoded once.

    The groups lie between the headers that differ from record to record; together they are all headers,
    sorted by name.
    """

    __slots__ = (
        "_after_at",
        "_after_commit",
        "_after_id",
        "_after_subject",
        "_before_at",
        "_frames",
        "_operated_by",
        "_trace",
    )

    def __init__(self, record: Record) -> None:
        """Encode what *record* shares with the others."""
        self._before_at = [_header("actor", record.actor)]
        self._after_at = [
            *_optional("causation", record.causation),
            _header("ce_dataschema", f"{record.topic}/{record.schema}"),
        ]
        self._after_id = [_header("ce_source", record.source), _SPECVERSION]
        self._after_subject = [
            _header("ce_time", rfc3339(record.occurred_at)),
            _header("ce_type", record.topic),
            _header("command", record.command),
        ]
        self._after_commit = [_CONTENT_TYPE, _header("correlation", record.correlation)]
        self._operated_by = _optional(OPERATED_BY, record.operated_by)
        self._trace = _optional("traceparent", record.traceparent)
        self._frames = (
            _frames(self._before_at) + _AT,
            _frames(self._after_at) + _ID,
            _frames(self._after_id) + _SUBJECT,
            _frames(self._after_subject) + _COMMIT,
            _frames(self._after_commit),
            _frames(self._operated_by) + _SEQUENCE,
            _frames(self._trace),
        )

    def covered(self, record: Record, own: "_Own", tracking: bytes | None = None) -> bytes:
        """Return what the chain covers.

        That is key, value, then each header's name and value, all length-prefixed (u32, big-endian).
        """
        at, event_id, stream, commit, fingerprint, sequence, version = own
        before_at, after_at, after_id, after_subject, after_commit, before_sequence, trace = self._frames
        home, data, framed_stream = record.home.encode(), record.data, LENGTHS[len(stream)] + stream
        return b"".join(
            (
                LENGTHS[len(home)] + home,
                LENGTHS[len(data)],
                data,
                before_at,
                _SHORT[len(at)] + at,
                after_at,
                LENGTHS[len(event_id)] + event_id,
                after_id,
                framed_stream,
                after_subject,
                _SHORT[len(commit)] + commit,
                after_commit,
                b"" if fingerprint is None else _FINGERPRINT + _framed(fingerprint),
                before_sequence,
                _SHORT[len(sequence)] + sequence,
                _STREAM,
                framed_stream,
                trace,
                b"" if tracking is None else _TRACKING + _framed(tracking),
                _VERSION,
                _SHORT[len(version)] + version,
            )
        )

    def headers(self, own: "_Own", tracking: bytes | None = None) -> list[Header]:
        """Return every header but `chain`, sorted by name."""
        at, event_id, stream, commit, fingerprint, sequence, version = own
        headers = [
            *self._before_at,
            ("at", at),
            *self._after_at,
            ("ce_id", event_id),
            *self._after_id,
            ("ce_subject", stream),
            *self._after_subject,
            ("commit", commit),
            *self._after_commit,
        ]
        if fingerprint is not None:
            headers.append(("fingerprint", fingerprint))
        headers += (*self._operated_by, ("sequence", sequence), ("stream", stream), *self._trace)
        if tracking is not None:
            headers.append((TRACKING, tracking))
        headers.append(("version", version))
        return headers


_Own = tuple[bytes, bytes, bytes, bytes, bytes | None, bytes, bytes]


def _own_values(record: Record) -> _Own:
    """Return the values of the headers that are the record's own, in the order of their names."""
    fingerprint = record.fingerprint
    return (
        b"%d" % record.at,
        b"%b/%d" % (record.command.encode(), record.commit_index),  # `record.id`, without a call for each
        record.stream.encode(),
        b"%d/%d" % (record.commit_index, record.commit_count),
        None if fingerprint is None else fingerprint.encode(),
        b"%d" % record.sequence,
        b"%d" % record.version,
    )


_shared: dict[tuple[object, ...], SharedHeaders] = {}


def _shared_headers(record: Record) -> SharedHeaders:
    fields = (
        record.actor,
        record.operated_by,
        record.causation,
        record.topic,
        record.schema,
        record.source,
        record.occurred_at,
        record.command,
        record.correlation,
        record.traceparent,
    )
    shared = _shared.get(fields)
    if shared is None:
        if len(_shared) >= _CACHED:
            _shared.clear()
        shared = _shared[fields] = SharedHeaders(record)
    return shared


def covered_and_headers(record: Record, tracking: bytes | None = None) -> tuple[bytes, list[Header]]:
    """Return what the chain covers of *record*, and its headers but `chain`, sorted by name."""
    shared, own = _shared_headers(record), _own_values(record)
    return shared.covered(record, own, tracking), shared.headers(own, tracking)


def headers(record: Record) -> list[Header]:
    """Return every header but `chain`, sorted by name."""
    return _shared_headers(record).headers(_own_values(record))


def chain_bytes(record: Record) -> bytes:
    """Return what the chain covers."""
    return _shared_headers(record).covered(record, _own_values(record))
