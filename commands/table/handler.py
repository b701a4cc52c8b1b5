"""How a type of command is carried out, and what the handlers of several resources share."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from msgspec import Struct

from commands.precondition import present
from commands.unit_of_work import UnitOfWork
from domain.command import Command
from domain.event import Event
from domain.identifiers import ACCOUNTS_HOME, account_stream, project_stream


def _none(_: Command) -> tuple[()]:
    return ()


class Handler(Struct, frozen=True, kw_only=True):
    """How commands are carried out.

    *home* returns the home key of a command, *stream* the stream that it is about, whose version an expected
    version means. *run* decides and records. *also_loads* returns the other streams that deciding certainly
    loads; *looks_at* the streams of other homes that deciding reads, each with its home key. *exists* returns
    whether what a command is about is there, by the state of the stream.
    """

    home: Callable[[Any], str]
    stream: Callable[[Any], str]
    run: Callable[[UnitOfWork, str, Any], None]
    also_loads: Callable[[Any], Iterable[str]] = _none
    looks_at: Callable[[Any], Iterable[tuple[str, str]]] = _none
    exists: Callable[[Any, Any], bool] = present


class _OfProject(Protocol):
    @property
    def project_id(self) -> str: ...


class _OfAccount(Protocol):
    @property
    def account_id(self) -> str: ...


def project_home(command: _OfProject) -> str:
    """Return the home key of what belongs to a project: the project's id."""
    return command.project_id


def loads_project(command: _OfProject) -> tuple[str]:
    """Return the stream of the command's project."""
    return (project_stream(command.project_id),)


def within_project(
    decide: Callable[[Any, Any, Any, Any], tuple[Event, ...]],
) -> Callable[[UnitOfWork, str, Any], None]:
    """Return a `run` that calls *decide* with the states of the project and the stream, command and actor."""

    def run(unit: UnitOfWork, stream: str, command: _OfProject) -> None:
        project = unit.load(project_stream(command.project_id))
        unit.record(stream, decide(project, unit.load(stream), command, unit.actor))

    return run


def on_stream(
    decide: Callable[[Any, Any, Any], tuple[Event, ...]],
) -> Callable[[UnitOfWork, str, Any], None]:
    """Return a `run` that calls *decide* with the state of the stream alone, the command and the actor."""

    def run(unit: UnitOfWork, stream: str, command: Command) -> None:
        unit.record(stream, decide(unit.load(stream), command, unit.actor))

    return run


def accounts_home(_: Command) -> str:
    """Return the home key of accounts and of all that they sign in with."""
    return ACCOUNTS_HOME


def stream_of_account(command: _OfAccount) -> str:
    """Return the stream of the command's account."""
    return account_stream(command.account_id)
