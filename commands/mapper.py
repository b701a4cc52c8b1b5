"""Maps events to stored bytes and back: names, upcasting, compression, encryption of personal fields."""

import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec
from eventsourcing.persistence import Compressor

from commands.keys import PersonalCipher
from commands.request_ids import RequestIds
from commands.stream_event import StreamEvent
from domain.event import ERASED, PERSONAL, SECRET, Event
from domain.record import Record
from domain.upcasting import event_type, upcast

_ENCRYPTED = "personal"
_PLAIN, _DEFLATED = b"\x00", b"\x01"
_WORTH_COMPRESSING = 512


class LargeStateCompressor(Compressor):
    """Deflates data that is large enough to shrink; the first byte says whether it is deflated."""

    def compress(self, data: bytes) -> bytes:
        """Return *data* as it is stored."""
        if len(data) < _WORTH_COMPRESSING:
            return _PLAIN + data
        return _DEFLATED + zlib.compress(data, 1)

    def decompress(self, data: bytes) -> bytes:
        """Return the data that `compress` was given."""
        return zlib.decompress(data[1:]) if data[:1] == _DEFLATED else data[1:]


class EventMapper:
    """Maps events by their stored names, with personal fields encrypted.

    The JSON of an event holds its public fields, and under `personal` its encrypted personal ones.
    """

    def __init__(self, cipher: PersonalCipher) -> None:
        """Encrypt personal fields with *cipher*."""
        self.personal = cipher
        self.request_ids = RequestIds(cipher)
        self._compressor = LargeStateCompressor()

    def prepare(self, events: Iterable[Event]) -> None:
        """Create the keys that *events* need; raises KeyDestroyedError."""
        subjects = {getattr(event, event.SUBJECT) for event in events if event.SUBJECT}
        if subjects:
            self.personal.prepare(subjects)

    def data(self, event: Event) -> bytes:
        """Return the JSON of the event that the log stores and the chain covers."""
        if not event.SUBJECT:
            return msgspec.json.encode(event)
        public = msgspec.to_builtins(event)
        private = {name: public.pop(name) for name in personal_fields(type(event))}
        subject: str = getattr(event, event.SUBJECT)
        public[_ENCRYPTED] = self.personal.encrypt(subject, event.TOPIC, msgspec.json.encode(private))
        return msgspec.json.encode(public)

    def event(self, topic: str, schema: int, data: bytes) -> Event:
        """Return the event in its latest version, from *data* of version *schema*.

        Raises UnknownEventError and msgspec.ValidationError.
        """
        cls = event_type(topic)
        if not cls.SUBJECT and schema == cls.VERSION:
            return cast("Event", _decoder(cls).decode(data))
        fields = msgspec.json.decode(data)
        encrypted = fields.pop(_ENCRYPTED, None)
        if encrypted is not None:
            fields |= self._decrypted(cls, fields, topic, encrypted)
        return msgspec.convert(upcast(topic, schema, fields), cls)

    def _decrypted(
        self, cls: type[Event], fields: dict[str, Any], topic: str, encrypted: str
    ) -> dict[str, Any]:
        subject = fields[_encoded_name(cls, cls.SUBJECT)]
        plain = self.personal.decrypt(subject, topic, encrypted)
        if plain is None:
            return dict(_erased(cls))
        return cast("dict[str, Any]", msgspec.json.decode(plain))

    def compress(self, data: bytes) -> bytes:
        """Return the JSON as the SQLite log stores it."""
        return self._compressor.compress(data)

    def decompress(self, state: bytes) -> bytes:
        """Return the JSON that was stored."""
        return self._compressor.decompress(state)

    def stream_event(self, stream: str, version: int, topic: str, state: bytes) -> StreamEvent:
        """Return the event of a row of the SQLite log: *topic* is a stored name, *state* the stored JSON."""
        name, schema = parse_stored_topic(topic)
        return StreamEvent(stream, version, self.event(name, schema, self.decompress(state)))


@lru_cache
def personal_fields(cls: type[Event]) -> tuple[str, ...]:
    """Return the JSON names of the personal fields of an event class."""
    return tuple(_marked(cls, PERSONAL))


@lru_cache
def secret_fields(cls: type[Event]) -> tuple[str, ...]:
    """Return the JSON names of the fields of an event class that are never shown."""
    return tuple(_marked(cls, SECRET))


@lru_cache
def _erased(cls: type[Event]) -> Mapping[str, Any]:
    """Return the values of personal fields without a key: lists are empty, texts say that they are erased."""
    lists = msgspec.inspect.VarTupleType
    return {name: [] if isinstance(kind, lists) else ERASED for name, kind in _marked(cls, PERSONAL).items()}


def _marked(cls: type[Event], mark: str) -> dict[str, msgspec.inspect.Type]:
    info = msgspec.inspect.type_info(cls)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 # an Event is a Struct
    return {
        field.encode_name: field.type.type
        for field in info.fields
        if isinstance(field.type, msgspec.inspect.Metadata) and (field.type.extra or {}).get(mark)
    }


@lru_cache
def _encoded_name(cls: type[Event], name: str) -> str:
    return next(field.encode_name for field in msgspec.structs.fields(cls) if field.name == name)


@lru_cache
def _decoder(cls: type[Event]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cls)


@lru_cache(maxsize=1024)
def stored_topic(topic: str, schema: int) -> str:
    """Return the name under which the log stores an event: its topic and version."""
    return f"{topic}.v{schema}"


@lru_cache(maxsize=1024)
def parse_stored_topic(stored: str) -> tuple[str, int]:
    """Return the topic and version of a stored name; raises ValueError for any other text."""
    topic, separator, schema = stored.rpartition(".v")
    if not separator or not schema.isdecimal():
        raise ValueError(f"not a stored event name: {stored}")
    return topic, int(schema)


class RecordEvents:
    """Reads the events that records carry, as a log does."""

    def __init__(self, mapper: EventMapper) -> None:
        """Read with *mapper*, which knows the keys."""
        self._mapper = mapper

    def event(self, record: Record) -> Event:
        """Read the event that *record* carries, at its latest version; raises what the mapper raises."""
        return self._mapper.event(record.topic, record.schema, record.data)

    def request_of(self, record: Record) -> tuple[str, str | None]:
        """Return the correlation and the trace context of *record* as they are shown."""
        return self._mapper.request_ids.shown(record)
