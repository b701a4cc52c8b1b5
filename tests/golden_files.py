"""Writes the golden file of each event that has none: `python -m tests.golden_files`.

A file that exists is never written again: it is what a release wrote, and every later release must read it.
"""

import json
from enum import EnumType
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from commands.keys import PersonalCipher
from commands.mapper import EventMapper
from domain.event import Event
from domain.registry import EVENTS

GOLDEN = Path(__file__).parent / "golden"
KEY = bytes(range(32))

T = TypeVar("T", bound=msgspec.Struct)


class OneKey:
    """The same key for everybody."""

    def get(self, _: str) -> bytes:
        return KEY

    def ensure(self, _: Any) -> None:
        """Do nothing: the key exists."""

    def destroy(self, _: Any) -> None:
        """Do nothing: it stays."""

    def forget(self, _: Any) -> None:
        """Do nothing."""

    def rewrap(self) -> int:
        return 0

    def close(self) -> None:
        """Do nothing."""


def sample(kind: Any, name: str) -> Any:
    """Return a value of a field's type."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        return (sample(args[0], name),)
    if origin is dict:
        return {sample(args[0], name): sample(args[1], name)}
    if args and origin is not None:
        return sample(args[0], name)
    if args:
        return sample(next(arg for arg in args if arg is not type(None)), name)
    if isinstance(kind, EnumType):
        return next(iter(kind))
    if kind is bool:
        return True
    if kind is int:
        return 7
    if kind is str:
        return f"{name} é"
    return kind(**{field.name: sample(field.type, field.name) for field in msgspec.structs.fields(kind)})


def value_of(cls: type[T]) -> T:
    """Return a struct, such as an event or a command, with a value in every field."""
    hints = get_type_hints(cls)
    fields = msgspec.structs.fields(cls)
    return cls(**{field.name: sample(hints[field.name], field.name) for field in fields})


def event_of(cls: type[Event]) -> Event:
    """Return an event with a value in every field."""
    return value_of(cls)


def main() -> None:
    """Write the missing files."""
    GOLDEN.mkdir(exist_ok=True)
    mapper = EventMapper(PersonalCipher(OneKey()))
    for cls in EVENTS:
        path = GOLDEN / f"{cls.TOPIC}.v{cls.VERSION}.json"
        if path.exists():
            continue
        event = event_of(cls)
        stored = {
            "topic": cls.TOPIC,
            "schema": cls.VERSION,
            "data": mapper.data(event).decode(),
            "reads": msgspec.to_builtins(event),
        }
        if cls.SUBJECT:
            stored |= {"subject": getattr(event, cls.SUBJECT), "key": KEY.hex()}
        path.write_text(json.dumps(stored, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
