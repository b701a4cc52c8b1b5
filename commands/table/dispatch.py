"""From a command to its handler: the home key, the streams, and carrying it out."""

from collections.abc import Iterable, Iterator
from typing import Any

from commands.table.handler import Handler
from commands.table.registry import COMMAND_TABLE
from commands.unit_of_work import UnitOfWork
from domain.command import Command

_HANDLERS: dict[type[Command], Handler] = {row.command: row.handler for row in COMMAND_TABLE.values()}


def carry_out(unit: UnitOfWork, command: Command) -> str:
    """Decide *command*, record what it causes, and return the stream that it is about; raises Refusal."""
    handler = _HANDLERS[type(command)]
    stream = handler.stream(command)
    handler.run(unit, stream, command)
    return stream


def home_of(command: Command) -> str:
    """Return the home key of *command*."""
    return _HANDLERS[type(command)].home(command)


def stream_of(command: Command) -> str:
    """Return the stream that *command* is about."""
    return _HANDLERS[type(command)].stream(command)


def touched_streams(command: Command) -> Iterator[str]:
    """Yield the streams that deciding *command* certainly loads."""
    handler = _HANDLERS[type(command)]
    yield handler.stream(command)
    yield from handler.also_loads(command)


def exists(command: Command, state: Any) -> bool:
    """Return whether what *command* is about is there, by the *state* of its stream."""
    return _HANDLERS[type(command)].exists(state, command)


def looked_at(command: Command) -> Iterable[tuple[str, str]]:
    """Return the streams of other homes that deciding *command* reads, each with its home key."""
    return _HANDLERS[type(command)].looks_at(command)
