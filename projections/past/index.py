"""The index of the past, in SQLite: a cache that can be made again from the log at any time."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import structlog

from projections.past import schema
from projections.past.entries import CommitMade, FileChange, PastFile, Reached
from projections.prefixes import after_prefix
from projections.sqlite.connections import Database, translated
from projections.store import StoreUnavailableError
from projections.writes import Document

_EPOCH_CHANGES = 1_000
_FILE_MODE = 0o600
_PRAGMAS = ("wal_autocheckpoint=1000", "cache_size=-4096")
_BEYOND = b"\xff"  # a blob: greater than every text
_AT_THE_START = -(1 << 62)

logger = structlog.get_logger(__name__)


class _Project(msgspec.Struct):
    """A project's row: *files* were there when its last epoch began, *changes* it has had since."""

    number: int
    sequence: int
    chain: bytes
    epoch: int
    files: int
    changes: int


class PastIndex:
    """What projects had at each moment: the versions and sizes of files, the numbers and times of commits.

    The changes of a project's files are divided into epochs. An epoch begins with a snapshot of the files
    that there are, and ends after as many changes as it began with, at least 1,000. So what is read for a
    moment grows with the files that there were, not with the length of the history, and all snapshots
    together are no larger than the changes.

    Any thread may call any method; calls for one project that change it must not overlap.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the index at *path*, or make it; one that cannot be used is made again. None: in memory."""
        try:
            self._database = _opened(path)
        except StoreUnavailableError as error:
            if path is None:
                raise
            logger.warning("making the index of the past again", reason=str(error))
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._database = _opened(path)

    def reached(self, project_id: str) -> Reached:
        """Return how far the index has read the log for a project."""
        project = self._project(project_id)
        return Reached() if project is None else Reached(project.sequence, project.chain)

    def add(
        self,
        project_id: str,
        changes: Sequence[FileChange],
        commits: Sequence[CommitMade],
        reached: Reached,
    ) -> None:
        """Add the events of a project up to *reached*, in the order of the log."""
        with self._database.transaction() as connection:
            if connection.execute(schema.PROJECT, (project_id,)).fetchone() is None:
                connection.execute(schema.NEW_PROJECT, (project_id,))
            project = _Project(*connection.execute(schema.PROJECT, (project_id,)).fetchone())
            _add_changes(connection, project, changes)
            _add_commits(connection, project.number, commits)
            if project.changes >= max(_EPOCH_CHANGES, project.files):
                _begin_epoch(connection, project, reached.sequence)
            values = (reached.sequence, reached.chain, project.epoch, project.files, project.changes)
            connection.execute(schema.SAVE_PROJECT, (*values, project.number))

    def forget(self, project_id: str) -> None:
        """Forget a project."""
        project = self._project(project_id)
        if project is None:
            return
        with self._database.transaction() as connection:
            for table in schema.BELOW_A_PROJECT:
                connection.execute(f"DELETE FROM {table} WHERE project = ?", (project.number,))  # noqa: S608 # ours
            connection.execute("DELETE FROM projects WHERE number = ?", (project.number,))

    def project_ids(self) -> list[str]:
        """Return the ids of the projects that the index has."""
        with self._database.reading() as connection, translated():
            return [_text(id_) for (id_,) in connection.execute("SELECT id FROM projects")]

    def files(
        self, project_id: str, sequence: int, limit: int, *, after: str = "", prefix: str = ""
    ) -> list[PastFile]:
        """Return up to *limit* files at *sequence*: paths above *after* that start with *prefix*."""
        project = self._project(project_id)
        if project is None:
            return []
        beyond = after_prefix(prefix)
        values = {
            "project": project.number,
            "sequence": sequence,
            "after": after,
            "first": prefix,
            "beyond": _BEYOND if beyond is None else beyond,
            "limit": limit,
        }
        with self._database.reading() as connection, translated():
            (epoch,) = connection.execute(schema.EPOCH, (project.number, sequence)).fetchone()
            rows = connection.execute(schema.FILES, {**values, "epoch": epoch or 0})
            return [
                PastFile(_text(path), version, size, None if digest is None else _text(digest))
                for path, _, version, size, digest in rows
            ]

    def changed_after(self, project_id: str, sequence: int, limit: int) -> list[str]:
        """Return the paths of the first *limit* changes after *sequence*."""
        return [_text(path) for (path,) in self._rows(schema.CHANGED_AFTER, project_id, sequence, limit)]

    def last_change(self, project_id: str, sequence: int) -> int:
        """Return the sequence of the last change of a file up to *sequence*, 0 where there is none."""
        rows = self._rows(schema.LAST_CHANGE, project_id, sequence)
        return (rows[0][0] or 0) if rows else 0

    def commits_at(self, project_id: str, sequence: int) -> int:
        """Return the number of the last commit at *sequence*, 0 where there is none."""
        rows = self._rows(schema.COMMITS_AT, project_id, sequence)
        return rows[0][0] if rows else 0

    def last_work(self, project_id: str, sequence: int) -> int:
        """Return the sequence of the last commit, or change of a file without one, up to *sequence*, or 0."""
        commits = self._rows(schema.COMMITS_AT, project_id, sequence)
        changes = self._rows(schema.LAST_CHANGE_ALONE, project_id, sequence)
        return max((row[-1] for row in (*commits, *changes)), default=0)

    def authored_by(self, project_id: str, time: int) -> int | None:
        """Return the last event of the last commit that is as old as *time* with all commits before it."""
        rows = self._rows(schema.AUTHORED_BY, project_id, time)
        return rows[0][0] if rows else None

    def snapshot(self, project_id: str, version: int) -> tuple[int, Document] | None:
        """Return the last snapshot of a project's document up to *version*, with its version."""
        rows = self._rows(schema.SNAPSHOT, project_id, version)
        return (rows[0][0], msgspec.json.decode(rows[0][1])) if rows else None

    def add_snapshots(self, project_id: str, documents: Sequence[tuple[int, Document]]) -> None:
        """Keep snapshots of a project's document, each with its version; the project has been added."""
        project = self._project(project_id)
        if project is None or not documents:
            return
        rows = [(project.number, version, msgspec.json.encode(document)) for version, document in documents]
        with self._database.transaction() as connection:
            connection.executemany(schema.ADD_SNAPSHOT, rows)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _project(self, project_id: str) -> _Project | None:
        with self._database.reading() as connection, translated():
            row = connection.execute(schema.PROJECT, (project_id,)).fetchone()
        return None if row is None else _Project(*row)

    def _rows(self, statement: str, project_id: str, *values: int) -> list[tuple[Any, ...]]:
        """Return the rows of *statement* for a project; none for an unknown one."""
        project = self._project(project_id)
        if project is None:
            return []
        with self._database.reading() as connection, translated():
            return connection.execute(statement, (project.number, *values)).fetchall()


def _opened(path: Path | None) -> Database:
    """Open the database with the tables of this version, without those of another; for its owner alone."""
    try:
        if path is not None:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE))
    except OSError as error:
        raise StoreUnavailableError(f"{path} cannot be used: {error.strerror}") from error
    database = Database(path)
    try:
        for pragma in _PRAGMAS:
            database.writer.execute(f"PRAGMA {pragma}")
        with database.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            for table in schema.TABLES if version != schema.VERSION else ():
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in schema.CREATE:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    except BaseException:
        with closing(database):
            raise
    return database


def _add_changes(connection: sqlite3.Connection, project: _Project, changes: Sequence[FileChange]) -> None:
    number, epoch = project.number, project.epoch
    rows = [
        (number, epoch, change.path, change.sequence, change.version, change.size, change.digest)
        for change in changes
    ]
    connection.executemany(schema.ADD_FILE, rows)
    connection.executemany(
        schema.ADD_CHANGE,
        [(number, change.sequence, change.path, change.commit is None) for change in changes],
    )
    project.changes += len(rows)


def _add_commits(connection: sqlite3.Connection, number: int, commits: Sequence[CommitMade]) -> None:
    """Add commits, each with the latest time at which one up to it was authored."""
    if not commits:
        return
    row = connection.execute(schema.LAST_AUTHORED, (number,)).fetchone()
    authored, rows = row[0] if row else _AT_THE_START, []
    for commit in commits:
        authored = authored if commit.authored_at is None else max(authored, commit.authored_at)
        rows.append((number, commit.number, commit.sequence, commit.end, authored))
    connection.executemany(schema.ADD_COMMIT, rows)


def _begin_epoch(connection: sqlite3.Connection, project: _Project, sequence: int) -> None:
    """Begin an epoch with the files that there are at *sequence*."""
    values = {
        "project": project.number,
        "epoch": project.epoch,
        "sequence": sequence,
        "after": "",
        "first": "",
        "beyond": _BEYOND,
        "next": sequence,
    }
    files = connection.execute(schema.NEXT_EPOCH, values).rowcount
    connection.execute(schema.ADD_EPOCH, (project.number, sequence))
    project.epoch, project.files, project.changes = sequence, files, 0


def _text(value: str | bytes) -> str:
    """Return a text; a reading connection returns bytes."""
    return value.decode() if isinstance(value, bytes) else value
