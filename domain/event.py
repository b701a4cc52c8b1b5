"""The base of every domain event and the register of their stored names."""

from typing import Annotated, Any, ClassVar, TypeVar

from msgspec import Meta, Struct

PERSONAL = "personal"

T = TypeVar("T")

Personal = Annotated[T, Meta(extra={PERSONAL: True})]
"""Mark a field as personal data: the mapper encrypts it with its subject's key."""

_registry: "dict[tuple[str, int], type[Event]]" = {}
_latest: "dict[str, type[Event]]" = {}


class EventMeta(type(Struct)):  # type: ignore[misc] # msgspec types the metaclass as a function's result
    """Read `topic`, `version` and `subject` from the class statement."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        topic: str = "",
        version: int = 0,
        subject: str = "",
        **kwargs: Any,
    ) -> Any:
        """Make the class and register it under its stored name."""
        namespace = {**namespace, "TOPIC": topic, "VERSION": version, "SUBJECT": subject}
        cls = super().__new__(mcs, name, bases, namespace, **kwargs)
        if topic:
            _register(cls)
        return cls


class Event(Struct, metaclass=EventMeta, frozen=True, kw_only=True, rename="camel"):
    """Something that happened: past tense, frozen, without defaults.

    `TOPIC` is the stored name, `VERSION` counts its shapes, and `SUBJECT` names the field with the id of the
    person whom its `Personal` fields are about.
    """

    TOPIC: ClassVar[str] = ""
    VERSION: ClassVar[int] = 0
    SUBJECT: ClassVar[str] = ""


def _register(cls: type[Event]) -> None:
    if cls.TOPIC in _latest:
        raise TypeError(f"two events are called {cls.TOPIC}")
    _registry[cls.TOPIC, cls.VERSION] = cls
    _latest[cls.TOPIC] = cls


def event_class(topic: str) -> type[Event]:
    """Return the class of the events called *topic*; raise KeyError where there is none."""
    return _latest[topic]


def event_topics() -> list[str]:
    """List the stored names of all events, sorted."""
    return sorted(_latest)
