"""Events with a marker in every text, so that a message can be searched for texts that must not be in it."""

from enum import EnumType
from typing import get_args, get_origin, get_type_hints

import msgspec

from commands.mapper import personal_fields
from streams.public.pseudonyms import Names
from tests.unit.commands.test_chain import a_record

IDS = {"project_id", "review_id", "comment_id", "build_id", "announcement_id"}
"""Fields that hold ids drawn at random, which are public."""

STREAMS = {
    "project": "project-{project_id}",
    "collaborator": "project-{project_id}",
    "file": "file-{marker}",
    "commit": "commits-{project_id}",
    "review": "review-{project_id}",
    "build": "build-{project_id}",
    "suggestion": "suggestion-{marker}",
    "account": "account-{marker}",
    "announcement": "announcement-{project_id}",
}


def uuid(number=1):
    return f"0190a1b2-0000-7000-8000-{number:012x}"


def marker(name):
    return f"MARKER {name} é"


def pseudonym(name):
    """Stand for a name by a number: it tells nothing of it."""
    return f"{_numbers.setdefault(name, len(_numbers)):032x}"


_numbers: dict[str, int] = {}


def value(kind, name, text):
    """Return a value of a field's type; texts are made by *text* from the field's name."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        return (value(args[0], name, text),)
    if args and origin is not None:
        return value(args[0], name, text)
    if args:
        return value(next(arg for arg in args if arg is not type(None)), name, text)
    if isinstance(kind, EnumType):
        return next(iter(kind))
    if kind is int:
        return 7
    if kind is str:
        return uuid() if name in IDS else text(name)
    hints = get_type_hints(kind)
    return kind(**{field: value(hint, field, text) for field, hint in hints.items()})


def event_of(cls, text=marker, **changes):
    """Return an event with a value in every field."""
    hints = get_type_hints(cls)
    fields = {name: value(hints[name], name, text) for name in cls.__struct_fields__}
    return cls(**{**fields, **changes})


def record_of(event, **changes):
    """Return the record of *event*; whatever may hold a text holds a marker."""
    stream = STREAMS[event.TOPIC.partition(".")[0]]
    fields = {
        "topic": event.TOPIC,
        "home": "accounts" if event.TOPIC.startswith("account.") else uuid(),
        "stream": stream.format(project_id=uuid(), marker=marker("stream")),
        "actor": marker("actor"),
        "command": marker("command"),
        "correlation": marker("correlation"),
        "causation": marker("causation"),
        "traceparent": marker("traceparent"),
        "fingerprint": marker("fingerprint"),
        "data": marker("data").encode(),
    }
    return a_record(**{**fields, **changes})


def personal_names(cls):
    """Return the attribute names of the personal fields."""
    encoded = personal_fields(cls)
    return [field.name for field in msgspec.structs.fields(cls) if field.encode_name in encoded]


NAMES = Names(pseudonym, uuid())
