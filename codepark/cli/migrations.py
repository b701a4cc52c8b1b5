"""`codepark migrate`: what the document store of the cluster profile keeps beside the read models."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from codepark.cli.failures import CommandError
from commands.kafka.settings import DEFAULT_PREFIX, PREFIX
from projections.mongodb.connection import connect, database_name
from projections.mongodb.migrator import FOLDER, MigrationError, MigrationState, Migrator, create

T = TypeVar("T")

Json = Annotated[bool, Parameter(name="--json", negative="", help="Write JSON for scripts.")]
Uri = Annotated[
    str | None,
    Parameter(name="--uri", env_var="CODEPARK_MONGODB_URI", help="Where MongoDB is."),
]
Database = Annotated[
    str | None,
    Parameter(name="--database", help="The database (default: as the URI or CODEPARK_TOPIC_PREFIX name it)."),
]
CaFile = Annotated[
    Path | None,
    Parameter(
        name="--tls-ca-file", env_var="CODEPARK_MONGODB_CA_FILE", help="Who signs MongoDB's certificate."
    ),
]

migrate_app = cyclopts.App(name="migrate", help="Migrate the document store of the cluster profile.")


@migrate_app.command(name="create")
def create_migration(name: str, *, folder: Path = FOLDER, as_json: Json = False) -> None:
    """Write the module of the next migration, to be filled in.

    Parameters
    ----------
    name
        What it does, in a few words.
    folder
        Where migrations lie (default: those of this program).
    """
    path = _tried(lambda: create(name, folder))
    _show({"path": str(path)}, as_json=as_json, line=f"fill in {path}")


@migrate_app.command(name="apply")
def apply_migrations(
    *,
    to: int | None = None,
    uri: Uri = None,
    database: Database = None,
    tls_ca_file: CaFile = None,
    as_json: Json = False,
) -> None:
    """Apply what has not been applied yet.

    Parameters
    ----------
    to
        The number of the last one to apply (default: all).
    """
    with _migrator(uri, database, tls_ca_file) as migrator:
        numbers = _tried(lambda: migrator.apply(to))
    _show({"applied": numbers}, as_json=as_json, line=_line("applied", numbers))


@migrate_app.command(name="rollback")
def roll_back_migrations(
    count: int = 1,
    *,
    uri: Uri = None,
    database: Database = None,
    tls_ca_file: CaFile = None,
    as_json: Json = False,
) -> None:
    """Undo the last migrations, the last one first.

    Parameters
    ----------
    count
        How many.
    """
    if count < 1:
        raise CommandError("the number of migrations to undo is at least 1")
    with _migrator(uri, database, tls_ca_file) as migrator:
        numbers = _tried(lambda: migrator.rollback(count))
    _show({"rolledBack": numbers}, as_json=as_json, line=_line("rolled back", numbers))


@migrate_app.command(name="status")
def migration_status(
    *, uri: Uri = None, database: Database = None, tls_ca_file: CaFile = None, as_json: Json = False
) -> None:
    """Show which migrations have been applied, and when."""
    with _migrator(uri, database, tls_ca_file) as migrator:
        states = _tried(migrator.status)
    if as_json:
        _write({"migrations": [_state(state) for state in states]})
        return
    table = Table("number", "migration", "description", "applied")
    for state in states:
        applied = "no" if state.applied_at is None else state.applied_at.isoformat(timespec="seconds")
        table.add_row(
            f"{state.number:04}",
            state.name,
            state.description,
            f"{applied} [bold red](changed since)[/]" if state.changed else applied,
        )
    Console().print(table)


@contextmanager
def _migrator(uri: str | None, database: str | None, tls_ca_file: Path | None) -> Iterator[Migrator]:
    if uri is None:
        raise CommandError("where is MongoDB? Set CODEPARK_MONGODB_URI or give --uri")
    with connect(uri, pool=(0, 2), tls_ca_file=tls_ca_file) as client:
        yield Migrator(client, database or database_name(uri, os.environ.get(PREFIX, DEFAULT_PREFIX)))


def _tried(run: Callable[[], T]) -> T:
    try:
        return run()
    except MigrationError as error:
        raise CommandError(str(error)) from error


def _state(state: MigrationState) -> dict[str, Any]:
    return {
        "number": state.number,
        "name": state.name,
        "description": state.description,
        "appliedAt": state.applied_at,
        "changed": state.changed,
    }


def _line(done: str, numbers: list[int]) -> str:
    return (
        f"{done}: {', '.join(f'{number:04}' for number in numbers)}" if numbers else "there is nothing to do"
    )


def _show(result: dict[str, Any], *, as_json: bool, line: str) -> None:
    if as_json:
        _write(result)
    else:
        print(line)  # noqa: T201 # its result


def _write(document: dict[str, Any]) -> None:
    print(msgspec.json.encode(document).decode())  # noqa: T201 # its result
