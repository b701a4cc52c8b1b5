"""Between domain events and what the library stores: names, upcasting, compression, encryption of personal fields."""

import base64
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec
from eventsourcing.persistence import Compressor, Mapper, StoredEvent, Transcoder

from commands.keys import PersonalCipher
from commands.stream_event import StreamEvent
from domain.event import ERASED, PERSONAL, SECRET, Event
from domain.upcasting import event_type, upcast

_SEALED = "personal"
_PLAIN, _DEFLATED = b"\x00", b"\x01"
_WORTH_COMPRESSING = 512


class JsonTranscoder(Transcoder):
    """Encode with msgspec, which knows the event structs."""

    def encode(self, obj: Any) -> bytes:
        """Write *obj* as JSON."""
        return msgspec.json.encode(obj)

    def decode(self, data: bytes) -> Any:
        """Read JSON."""
        return msgspec.json.decode(data)


class LargeStateCompressor(Compressor):
    """Deflate what is large enough to gain; one leading byte tells which was done."""

    def compress(self, data: bytes) -> bytes:
        """Return *data* as it is kept."""
        if len(data) < _WORTH_COMPRESSING:
            return _PLAIN + data
        return _DEFLATED + zlib.compress(data, 1)

    def decompress(self, data: bytes) -> bytes:
        """Return what `compress` was given."""
        return zlib.decompress(data[1:]) if data[:1] == _DEFLATED else data[1:]


class EventMapper(Mapper[str]):
    """Map events by their stored names, and keep personal fields encrypted.

    An event's JSON holds its public fields, and under `personal` the base64 of its encrypted personal ones.
    """

    def __init__(self, cipher: PersonalCipher) -> None:
        """Encrypt personal fields with *cipher*."""
        super().__init__(transcoder=JsonTranscoder(), compressor=LargeStateCompressor())
        self.personal = cipher
        self._compressor = LargeStateCompressor()

    def prepare(self, events: Iterable[Event]) -> None:
        """Make the keys that *events* need."""
        subjects = {getattr(event, event.SUBJECT) for event in events if event.SUBJECT}
        if subjects:
            self.personal.prepare(subjects)

    def data(self, event: Event) -> bytes:
        """Write the event as the JSON that the log keeps and the chain covers."""
        if not event.SUBJECT:
            return msgspec.json.encode(event)
        public = msgspec.to_builtins(event)
        private = {name: public.pop(name) for name in personal_fields(type(event))}
        sealed = self.personal.encrypt(
            getattr(event, event.SUBJECT), event.TOPIC, msgspec.json.encode(private)
        )
        public[_SEALED] = base64.b64encode(sealed).decode()
        return msgspec.json.encode(public)

    def event(self, topic: str, schema: int, data: bytes) -> Event:
        """Read an event of any version ever written; raises UnknownEventError or msgspec.ValidationError."""
        cls = event_type(topic)
        if not cls.SUBJECT and schema == cls.VERSION:
            return cast("Event", _decoder(cls).decode(data))
        fields = msgspec.json.decode(data)
        sealed = fields.pop(_SEALED, None)
        if sealed is not None:
            fields |= self._opened(cls, fields, topic, base64.b64decode(sealed))
        return msgspec.convert(upcast(topic, schema, fields), cls)

    def _opened(self, cls: type[Event], fields: dict[str, Any], topic: str, sealed: bytes) -> dict[str, Any]:
        subject = fields[_encoded_name(cls, cls.SUBJECT)]
        plain = self.personal.decrypt(subject, topic, sealed)
        if plain is None:
            return dict(_erased(cls))
        return cast("dict[str, Any]", msgspec.json.decode(plain))

    def compress(self, data: bytes) -> bytes:
        """Return the JSON as the SQLite log keeps it."""
        return self._compressor.compress(data)

    def decompress(self, state: bytes) -> bytes:
        """Return the JSON that was kept."""
        return self._compressor.decompress(state)

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Convert a StreamEvent for the library's recorders."""
        event: Event = domain_event.event
        return StoredEvent(
            originator_id=domain_event.stream,
            originator_version=domain_event.version,
            topic=stored_topic(event.TOPIC, event.VERSION),
            state=self.compress(self.data(event)),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Convert what a library's recorder returned to a StreamEvent."""
        topic, schema = parse_stored_topic(stored_event.topic)
        event = self.event(topic, schema, self.decompress(stored_event.state))
        return StreamEvent(str(stored_event.originator_id), stored_event.originator_version, event)


@lru_cache
def personal_fields(cls: type[Event]) -> tuple[str, ...]:
    """Return the JSON names of the personal fields of an event class."""
    return tuple(_marked(cls, PERSONAL))


@lru_cache
def secret_fields(cls: type[Event]) -> tuple[str, ...]:
    """Return the JSON names of the fields of an event class that nobody is shown."""
    return tuple(_marked(cls, SECRET))


@lru_cache
def _erased(cls: type[Event]) -> Mapping[str, Any]:
    """Return what stands in the place of the personal fields once their key is destroyed: a list is empty then."""
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
    """Return the name under which the log keeps an event: its topic and the version of its shape."""
    return f"{topic}.v{schema}"


@lru_cache(maxsize=1024)
def parse_stored_topic(stored: str) -> tuple[str, int]:
    """Return the topic and the version of its shape; raise ValueError on any other name."""
    topic, separator, schema = stored.rpartition(".v")
    if not separator or not schema.isdecimal():
        raise ValueError(f"not a stored event name: {stored}")
    return topic, int(schema)
