"""`codepark migrate`: the migrations of the cluster profile's document store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter
from rich.table import Table

from codepark.cli.failures import CommandError, UsageError
from codepark.cli.options import Data, Json, quiet_settings
from codepark.cli.results import show
from codepark.data_directory import DataDirectory
from commands.environment import Environment
from commands.kafka.settings import read_prefix

if TYPE_CHECKING:
    from projections.mongodb.migrator import MigrationState, Migrator

Uri = Annotated[
    str | None,
    Parameter(name="--uri", env_var="CODEPARK_MONGODB_URI", help="The URI of MongoDB."),
]
Database = Annotated[
    str | None,
    Parameter(name="--database", help="The database (default: as the URI or CODEPARK_TOPIC_PREFIX name it)."),
]
CaFile = Annotated[
    Path | None,
    Parameter(
        name="--tls-ca-file",
        env_var="CODEPARK_MONGODB_CA_FILE",
        help="The PEM file of the authority that MongoDB's certificate comes from.",
    ),
]

migrate_app = cyclopts.App(name="migrate", help="Migrate the document store of the cluster profile.")


@migrate_app.command(name="create")
def create_migration(name: str, *, folder: Path | None = None, as_json: Json = False) -> None:
    """Write the module of the next migration, to be filled in.

    Parameters
    ----------
    name
        What it does, in a few words.
    folder
        The folder of the migrations (default: that of this program).
    """
    from projections.mongodb.migrator import FOLDER, create  # noqa: PLC0415 # needs the extra `cluster`

    with _refused():
        path = create(name, folder or FOLDER)
    show({"path": str(path)}, f"fill in {path}", as_json=as_json)


@migrate_app.command(name="apply")
def apply_migrations(
    *,
    to: int | None = None,
    uri: Uri = None,
    database: Database = None,
    tls_ca_file: CaFile = None,
    as_json: Json = False,
) -> None:
    """Apply the migrations that have not been applied yet.

    Parameters
    ----------
    to
        The number of the last one to apply (default: all).
    """
    with _migrator(uri, database, tls_ca_file) as migrator:
        numbers = migrator.apply(to)
    show({"applied": numbers}, _line("applied", numbers), as_json=as_json)


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
        raise UsageError("the number of migrations to undo is at least 1")
    with _migrator(uri, database, tls_ca_file) as migrator:
        numbers = migrator.rollback(count)
    show({"rolledBack": numbers}, _line("rolled back", numbers), as_json=as_json)


@migrate_app.command(name="status")
def migration_status(
    *,
    uri: Uri = None,
    database: Database = None,
    tls_ca_file: CaFile = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show which migrations have been applied, and when. An embedded installation needs none.

    Parameters
    ----------
    data
        The data directory of an embedded installation, where no MongoDB is named.
    """
    uri = uri or _uri_in_file()
    if uri is None:
        settings = quiet_settings(data)
        DataDirectory(settings.data).require_log()
        text = "this installation is embedded: its read models are in SQLite, and there is nothing to migrate"
        show({"migrations": [], "profile": "embedded"}, text, as_json=as_json)
        return
    with _migrator(uri, database, tls_ca_file) as migrator:
        states = migrator.status()
    show({"migrations": [_state(state) for state in states]}, _table(states), as_json=as_json)


def _uri_in_file() -> str | None:
    """Return the URI in the file that a setting names, as the other commands read it."""
    return Environment(os.environ).text_or_file("CODEPARK_MONGODB_URI")


@contextmanager
def _migrator(uri: str | None, database: str | None, tls_ca_file: Path | None) -> "Iterator[Migrator]":
    uri = uri or _uri_in_file()
    if uri is None:
        raise CommandError("where is MongoDB? Set CODEPARK_MONGODB_URI or give --uri")
    from projections.mongodb.connection import connect, database_name  # noqa: PLC0415 # needs the extra `cluster`
    from projections.mongodb.migrator import Migrator  # noqa: PLC0415 # as above

    name = database or database_name(uri, read_prefix(os.environ))
    with _refused(), connect(uri, pool=(0, 2), tls_ca_file=tls_ca_file) as client:
        yield Migrator(client, name)


@contextmanager
def _refused() -> Iterator[None]:
    """Turn the refusal of a migration into that of the command."""
    from projections.mongodb.migrator import MigrationError  # noqa: PLC0415 # needs the extra `cluster`

    try:
        yield
    except MigrationError as error:
        raise CommandError(str(error)) from error


def _state(state: "MigrationState") -> dict[str, Any]:
    return {
        "number": state.number,
        "name": state.name,
        "description": state.description,
        "appliedAt": state.applied_at,
        "changed": state.changed,
        "needed": state.needed,
    }


def _table(states: "list[MigrationState]") -> Table:
    table = Table("number", "migration", "description", "applied")
    for state in states:
        if state.applied_at is not None:
            applied = state.applied_at.isoformat(timespec="seconds")
        else:
            applied = "no: run `codepark migrate apply`" if state.needed else "not needed"
        table.add_row(
            f"{state.number:04}",
            state.name,
            state.description,
            f"{applied} [bold red](changed since)[/]" if state.changed else applied,
        )
    return table


def _line(verb: str, numbers: list[int]) -> str:
    if not numbers:
        return "there is nothing to do"
    return f"{verb}: {', '.join(f'{number:04}' for number in numbers)}"
