"""The base of every domain event, and the register of their stored names."""

from typing import Annotated, Any, ClassVar, TypeVar, cast, dataclass_transform

from msgspec import Meta, Struct, StructMeta

PERSONAL = "personal"
ERASED = "[erased]"
"""The value that a personal text reads as once its key is destroyed."""

SECRET = "secret"  # noqa: S105 # the name of a mark

T = TypeVar("T")

Personal = Annotated[T, Meta(extra={PERSONAL: True})]
"""Marks a field as personal data: the mapper encrypts it with the key of the event's subject."""

Secret = Annotated[T, Meta(extra={PERSONAL: True, SECRET: True})]
"""Marks a field that helps to sign in: encrypted like personal data, and never shown to anybody."""

_latest: "dict[str, type[Event]]" = {}


class EventMeta(StructMeta):
    """Reads `topic`, `version`, `subject` and `withheld` from the class statement."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        topic: str = "",
        version: int = 0,
        subject: str = "",
        withheld: str = "",
        **options: Any,  # msgspec's own options
    ) -> "type[Event]":
        """Create the class and register its stored name; raise TypeError for a name that is taken."""
        declared = {"TOPIC": topic, "VERSION": version, "SUBJECT": subject, "WITHHELD": withheld}
        options = {"kw_only": True, **options}  # msgspec does not inherit it
        cls = cast("type[Event]", super().__new__(mcs, name, bases, {**namespace, **declared}, **options))
        if topic:
            _register(cls)
        return cls


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Event(Struct, metaclass=EventMeta, frozen=True, kw_only=True, rename="camel"):
    """Something that happened: past tense, frozen, without defaults.

    `TOPIC` is the stored name and `VERSION` the number of its shape. `SUBJECT` names the field with the id of
    the person that the `Personal` fields are about. `WITHHELD` says why the event is not published to
    analysts; an event without it has a publication in `streams/public/publications.py`.
    """

    TOPIC: ClassVar[str] = ""
    VERSION: ClassVar[int] = 0
    SUBJECT: ClassVar[str] = ""
    WITHHELD: ClassVar[str] = ""


def _register(cls: type[Event]) -> None:
    if cls.TOPIC in _latest:
        raise TypeError(f"two events are called {cls.TOPIC}")
    _latest[cls.TOPIC] = cls


def event_class(topic: str) -> type[Event]:
    """Return the class of the events called *topic*; raise KeyError for an unknown name."""
    return _latest[topic]


def latest_version(topic: str) -> int:
    """Return the version in which events called *topic* are written; raise KeyError for an unknown name."""
    return _latest[topic].VERSION


def event_topics() -> list[str]:
    """Return the stored names of all events, sorted."""
    return sorted(_latest)
