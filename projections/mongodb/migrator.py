"""Apply, roll back and list migrations: numbered modules, each applied once to a database."""

import hashlib
import importlib.util
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from msgspec import Struct
from pymongo import ReadPreference
from pymongo.database import Database

from projections.mongodb.connection import Client, database_of, translated
from projections.mongodb.locks import Lock, LockedError, locked
from projections.writes import Document

MIGRATIONS = "migrations"
FOLDER = Path(__file__).parent / "migrations"

_MADE_BY_STARTS = {"0001_housekeeping.py": frozenset({"dead_letters", "retired"})}
"""The collections of a migration that each start of a worker makes, too; a released text cannot name them."""

_FILE = re.compile(r"(\d{4})_([a-z][a-z0-9_]*)\.py")
_TEMPLATE = '''"""{title}."""

from pymongo.database import Database

from projections.writes import Document

DESCRIPTION = "{title}"


def apply(database: Database[Document]) -> None:
    """Do it; a second run after a crash must do no harm."""
    raise NotImplementedError


def rollback(database: Database[Document]) -> None:
    """Undo it."""
    raise NotImplementedError
'''


class MigrationError(Exception):
    """A migration cannot be applied, rolled back or created."""


class Migration(Struct, frozen=True):
    """A module: its number, its name, and the checksum of its text."""

    number: int
    name: str
    path: Path
    checksum: str

    def load(self) -> ModuleType:
        """Import the module."""
        spec = importlib.util.spec_from_file_location(f"migration_{self.path.stem}", self.path)
        if spec is None or spec.loader is None:
            raise MigrationError(f"{self.path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def was_applied_as(self, checksum: str) -> bool:
        """Return whether *checksum* is that of this text, or of an earlier text that did the same.

        A module names such earlier texts in `EARLIER_CHECKSUMS`.
        """
        return checksum == self.checksum or checksum in getattr(self.load(), "EARLIER_CHECKSUMS", ())


class MigrationState(Struct, frozen=True, kw_only=True):
    """A migration and whether it is applied; *changed* if its text is not the one that was applied.

    One that is not applied may not be *needed*: the database has what it would make.
    """

    number: int
    name: str
    description: str
    applied_at: datetime | None
    changed: bool = False
    needed: bool = False


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations of *folder*; raises MigrationError if a number is missing or used twice."""
    modules = []
    for path in sorted(folder.glob("[0-9]*.py")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} does not name a migration: call it for example 0001_first.py")
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        modules.append(Migration(int(match[1]), match[2], path, checksum))
    numbers = [migration.number for migration in modules]
    if numbers != list(range(1, len(modules) + 1)):
        raise MigrationError(f"the numbers of migrations are not 1, 2, 3 and so on: {numbers}")
    return modules


def create(name: str, folder: Path = FOLDER) -> Path:
    """Write the module of the next migration, to be filled in, and return its path."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    if not words or not words[0][0].isalpha():
        raise MigrationError(f"the name of a migration must begin with a letter, unlike {name!r}")
    path = folder / f"{len(migrations(folder)) + 1:04}_{'_'.join(words)}.py"
    with path.open("x", encoding="utf-8") as file:
        file.write(_TEMPLATE.format(title=" ".join(words)))
    return path


class Migrator:
    """Migrate one database. Of several processes that try at the same time, one does it."""

    def __init__(self, client: Client, database: str, folder: Path = FOLDER) -> None:
        """Apply the migrations of *folder* to *database*."""
        self._database: Database[Document] = database_of(client, database)
        self._records = self._database.get_collection(MIGRATIONS, read_preference=ReadPreference.PRIMARY)
        self._folder = folder

    def status(self) -> list[MigrationState]:
        """Return every migration, applied or not."""
        known = migrations(self._folder)
        with translated():
            records = self._applied()
            states = [self._state(migration, records.get(migration.number)) for migration in known]
        missing = [_missing(records[number]) for number in sorted(records) if number > len(known)]
        return states + missing

    def _made_by_starts(self, migration: Migration) -> bool:
        """Return whether the database has all that *migration* makes, made by the start of a worker."""
        made = _MADE_BY_STARTS.get(migration.path.name)
        return made is not None and made <= set(self._database.list_collection_names())

    def _state(self, migration: Migration, record: Document | None) -> MigrationState:
        module = migration.load()
        return MigrationState(
            number=migration.number,
            name=migration.name,
            description=str(module.DESCRIPTION),
            applied_at=None if record is None else record["appliedAt"].replace(tzinfo=UTC),
            changed=record is not None and not migration.was_applied_as(record["checksum"]),
            needed=record is None and not self._made_by_starts(migration),
        )

    def apply(self, to: int | None = None) -> list[int]:
        """Apply the migrations that are not applied yet, up to number *to*; return their numbers.

        Raises MigrationError, before anything is done, if an applied migration has changed or is missing.
        """

        def run(lock: Lock, known: Sequence[Migration], records: dict[int, Document]) -> list[int]:
            due = [
                migration
                for migration in known
                if migration.number not in records and (to is None or migration.number <= to)
            ]
            for migration in due:
                lock.check()
                self._step(migration, "apply")
                self._records.insert_one(_record(migration))
            return [migration.number for migration in due]

        return self._locked(run)

    def rollback(self, count: int = 1) -> list[int]:
        """Undo the last *count* migrations, the last one first; return their numbers."""

        def run(lock: Lock, known: Sequence[Migration], records: dict[int, Document]) -> list[int]:
            numbers = sorted(records, reverse=True)[:count]
            for number in numbers:
                lock.check()
                self._step(known[number - 1], "rollback")
                self._records.delete_one({"_id": number})
            return numbers

        return self._locked(run)

    def _locked(
        self, run: Callable[[Lock, Sequence[Migration], dict[int, Document]], list[int]]
    ) -> list[int]:
        known = migrations(self._folder)
        try:
            with translated(), locked(self._database, MIGRATIONS) as lock:
                records = self._applied()
                _check(known, records)
                return run(lock, known, records)
        except LockedError as error:
            raise MigrationError(str(error)) from error

    def _step(self, migration: Migration, direction: str) -> None:
        function: Callable[[Database[Document]], None] = getattr(migration.load(), direction)
        function(self._database)

    def _applied(self) -> dict[int, Document]:
        return {record["_id"]: record for record in self._records.find()}


def _check(known: Sequence[Migration], records: dict[int, Document]) -> None:
    for number, record in sorted(records.items()):
        if number > len(known):
            raise MigrationError(f"{number:04}_{record['name']} is applied, but its module is gone")
        if not known[number - 1].was_applied_as(record["checksum"]):
            raise MigrationError(
                f"{known[number - 1].path.name} has changed since it was applied: add another migration"
            )


def _record(migration: Migration) -> Document:
    return {
        "_id": migration.number,
        "name": migration.name,
        "checksum": migration.checksum,
        "description": str(migration.load().DESCRIPTION),
        "appliedAt": datetime.now(UTC),
    }


def _missing(record: Document) -> MigrationState:
    return MigrationState(
        number=record["_id"],
        name=record["name"],
        description=record["description"],
        applied_at=record["appliedAt"].replace(tzinfo=UTC),
        changed=True,
    )
