import importlib
import pkgutil
from typing import get_type_hints

import msgspec
import pytest

import domain
from domain.command import Command
from domain.event import PERSONAL, Event, event_class
from domain.registry import COMMANDS, EVENTS

MODULES = [importlib.import_module(info.name) for info in pkgutil.walk_packages(domain.__path__, "domain.")]


def defined(base):
    classes = {value for module in MODULES for value in vars(module).values() if isinstance(value, type)}
    return {cls for cls in classes if issubclass(cls, base) and cls is not base}


def test_the_catalogue_is_complete():
    assert set(EVENTS) == defined(Event)
    assert set(COMMANDS) == defined(Command)
    assert len(set(EVENTS)) == len(EVENTS)
    assert len(set(COMMANDS)) == len(COMMANDS)


@pytest.mark.parametrize("event", EVENTS)
def test_events(event):
    assert event_class(event.TOPIC) is event
    assert event.VERSION >= 1
    assert event.__struct_config__.frozen
    assert not event.__struct_defaults__, "a default hides what was not recorded"


@pytest.mark.parametrize("event", EVENTS)
def test_personal_data_has_a_subject(event):
    fields = msgspec.inspect.type_info(event).fields
    personal = [
        field
        for field in fields
        if isinstance(field.type, msgspec.inspect.Metadata) and (field.type.extra or {}).get(PERSONAL)
    ]
    assert bool(personal) == bool(event.SUBJECT)
    assert not event.SUBJECT or event.SUBJECT in get_type_hints(event)


def test_commands_have_names_of_their_own():
    names = [command.NAME for command in COMMANDS]
    assert len(set(names)) == len(names)
    assert "project.create" in names
    assert all(command.__struct_config__.frozen for command in COMMANDS)
