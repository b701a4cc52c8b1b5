"""The key check value of a log in SQLite: a table of its own next to the log's id."""

import sqlite3
from contextlib import closing
from pathlib import Path

from commands.key_check import KeyCheckError, is_key_of, key_check
from commands.kms import DERIVED, Kms, KmsError
from commands.secrets import Secrets
from commands.sqlite.connections import read_only_uri, translated_errors
from commands.sqlite.reader import TABLE
from commands.sqlite.unwritten_log import is_unchanging
from domain.identifiers import ACCOUNTS_HOME

_CREATE = f"CREATE TABLE IF NOT EXISTS {TABLE}_key (log_id TEXT PRIMARY KEY, key_check TEXT NOT NULL)"
_LOG_ID = f"SELECT log_id FROM {TABLE}_log"  # noqa: S608 # the names in the statements are ours
_STORED = f"SELECT log_id, key_check FROM {TABLE}_key"  # noqa: S608 # as above
_SAVE = f"INSERT OR IGNORE INTO {TABLE}_key VALUES (?, ?)"  # noqa: S608 # as above
_HAS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
_WRAPPED = """
SELECT * FROM (SELECT wrapped FROM keys WHERE length(wrapped) = 40 LIMIT 1)
UNION ALL SELECT wrapped FROM keys WHERE length(wrapped) > 40 GROUP BY substr(wrapped, 1, 4)
"""
"""One key of a person for each version of the master key."""
_ACCOUNTS = f"SELECT 1 FROM {TABLE} WHERE home = ? LIMIT 1"  # noqa: S608 # as above
_BUSY_SECONDS = 5.0


def is_used(log: Path) -> bool:
    """Return whether there is a log at *log*: a file with at least its tables."""
    try:
        return log.stat().st_size > 0
    except OSError:
        return False


def require_own_key(log: Path, keys: Path, secrets: Secrets, kms: Kms, *, held: bool) -> None:
    """Raise KeyCheckError unless *secrets* are those that the log at *log* was written with.

    A log that was last written before there was a check value is compared by a wrapped key in *keys*; of
    each version of the master key, one has to unwrap, else KmsError is raised. Where the caller does not hold
    the log (*held*), another process may write it.
    """
    if not is_used(log):
        return
    with translated_errors(), closing(_reading(log, held)) as connection:
        stored = _stored(connection)
    if stored is not None and not is_key_of(secrets, *stored):
        raise KeyCheckError
    _require_unwrapping(keys, kms, held)


def has_accounts(log: Path) -> bool:
    """Return whether the log at *log*, which the caller holds, has personal data; it may be no log yet."""
    if not is_used(log):
        return False
    with translated_errors(), closing(_reading(log, held=True)) as connection:
        if connection.execute(_HAS_TABLE, (TABLE,)).fetchone() is None:
            return False
        return connection.execute(_ACCOUNTS, (ACCOUNTS_HOME,)).fetchone() is not None


def save_key_check(log: Path, secrets: Secrets) -> None:
    """Store the check value of *secrets* with the id of the log at *log*, unless there is one."""
    with (
        translated_errors(),
        closing(sqlite3.connect(log, isolation_level=None, timeout=_BUSY_SECONDS)) as connection,
    ):
        if _stored(connection) is not None:
            return
        (log_id,) = connection.execute(_LOG_ID).fetchone()
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_CREATE)
        connection.execute(_SAVE, (log_id, key_check(secrets, log_id)))
        connection.execute("COMMIT")


def _stored(connection: sqlite3.Connection) -> tuple[str, str] | None:
    if connection.execute(_HAS_TABLE, (f"{TABLE}_key",)).fetchone() is None:
        return None
    row: tuple[str, str] | None = connection.execute(_STORED).fetchone()
    return row


def _require_unwrapping(keys: Path, kms: Kms, held: bool) -> None:
    if not is_used(keys):
        return
    with translated_errors(), closing(_reading(keys, held)) as connection:
        if connection.execute(_HAS_TABLE, ("keys",)).fetchone() is None:
            return
        wrapped = [row[0] for row in connection.execute(_WRAPPED)]
    for key in wrapped:
        try:
            kms.unwrap(key)
        except KmsError as error:
            if kms.version_of(key) == DERIVED:
                raise KeyCheckError from error
            raise


def _reading(path: Path, held: bool) -> sqlite3.Connection:
    """Open the database at *path* for reading."""
    uri = read_only_uri(path, unchanging=held and is_unchanging(path))
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
