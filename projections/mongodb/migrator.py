"""Apply, roll back and list migrations: numbered modules, each done once for a database."""

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
    """A migration that cannot be applied, rolled back or made."""


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


class State(Struct, frozen=True, kw_only=True):
    """A migration and whether it is applied; *changed* tells that its text is not what was applied."""

    number: int
    name: str
    description: str
    applied_at: datetime | None
    changed: bool = False


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations of *folder* in order; raise MigrationError where a number is missing or there twice."""
    found = []
    for path in sorted(folder.glob("[0-9]*.py")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is no name of a migration, such as 0001_first.py")
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(Migration(int(match[1]), match[2], path, checksum))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise MigrationError(f"the numbers of migrations are not 1, 2, 3 and so on: {numbers}")
    return found


def create(name: str, folder: Path = FOLDER) -> Path:
    """Write the next migration's module, to be filled in, and return where it is."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    if not words or not words[0][0].isalpha():
        raise MigrationError(f"a migration's name begins with a letter: {name!r}")
    path = folder / f"{len(migrations(folder)) + 1:04}_{'_'.join(words)}.py"
    with path.open("x", encoding="utf-8") as file:
        file.write(_TEMPLATE.format(title=" ".join(words)))
    return path


class Migrator:
    """Migrate one database. Several processes may try at once: one does, the others get LockedError."""

    def __init__(self, client: Client, database: str, folder: Path = FOLDER) -> None:
        """Apply the migrations of *folder* to *database*."""
        self._database: Database[Document] = database_of(client, database)
        self._records = self._database.get_collection(MIGRATIONS, read_preference=ReadPreference.PRIMARY)
        self._folder = folder

    def status(self) -> list[State]:
        """Return every migration, applied or not."""
        with translated():
            records = self._applied()
        known = migrations(self._folder)
        gone = [_gone(records[number]) for number in sorted(records) if number > len(known)]
        return [_state(migration, records.get(migration.number)) for migration in known] + gone

    def apply(self, to: int | None = None) -> list[int]:
        """Apply what is not applied yet, up to number *to*; return the numbers.

        Raises MigrationError, before anything is done, where an applied one has changed or is gone.
        """

        def run(lock: Lock, known: Sequence[Migration], records: dict[int, Document]) -> list[int]:
            due = [m for m in known if m.number not in records and (to is None or m.number <= to)]
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

    def _step(self, migration: Migration, what: str) -> None:
        function: Callable[[Database[Document]], None] = getattr(migration.load(), what)
        function(self._database)

    def _applied(self) -> dict[int, Document]:
        return {record["_id"]: record for record in self._records.find()}


def _check(known: Sequence[Migration], records: dict[int, Document]) -> None:
    for number, record in sorted(records.items()):
        if number > len(known):
            raise MigrationError(f"{number:04}_{record['name']} is applied, but its module is gone")
        if known[number - 1].checksum != record["checksum"]:
            raise MigrationError(
                f"{known[number - 1].path.name} has changed since it was applied: add another one"
            )


def _record(migration: Migration) -> Document:
    return {
        "_id": migration.number,
        "name": migration.name,
        "checksum": migration.checksum,
        "description": str(migration.load().DESCRIPTION),
        "appliedAt": datetime.now(UTC),
    }


def _state(migration: Migration, record: Document | None) -> State:
    return State(
        number=migration.number,
        name=migration.name,
        description=str(migration.load().DESCRIPTION),
        applied_at=None if record is None else record["appliedAt"].replace(tzinfo=UTC),
        changed=record is not None and record["checksum"] != migration.checksum,
    )


def _gone(record: Document) -> State:
    return State(
        number=record["_id"],
        name=record["name"],
        description=record["description"],
        applied_at=record["appliedAt"].replace(tzinfo=UTC),
        changed=True,
    )
