"""The tables of a replica, and the statements on them."""
# ruff: noqa: S608 # the names in the statements are ours; values are parameters

from commands.sqlite.reader import TABLE
from commands.sqlite.rows import COLUMNS, create_statements

REPLICA_COLUMNS = (*COLUMNS, "at")

_CREATE_PLACE = """
CREATE TABLE IF NOT EXISTS place (
    id INTEGER PRIMARY KEY, format INTEGER NOT NULL, partition INTEGER NOT NULL, log_id TEXT NOT NULL,
    partitions INTEGER NOT NULL, next_offset INTEGER NOT NULL, counted_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL, chain BLOB NOT NULL, occurred_at INTEGER NOT NULL, forks TEXT NOT NULL)
"""
_CREATE_TRACKING = """
CREATE TABLE IF NOT EXISTS tracking (name TEXT PRIMARY KEY, notification_id INTEGER NOT NULL) WITHOUT ROWID
"""
_CREATE_SNAPSHOTS = """
CREATE TABLE IF NOT EXISTS snapshots (
    originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,
    PRIMARY KEY (originator_id, originator_version)) WITHOUT ROWID
"""

LOAD_CHECKPOINT = """
SELECT format, partition, log_id, partitions, next_offset, counted_at, sequence, chain, occurred_at, forks
FROM place
"""
SAVE_CHECKPOINT = "INSERT OR REPLACE INTO place VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SAVE_SNAPSHOT = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)"
TRACKED_ID = "SELECT notification_id FROM tracking WHERE name = ?"
TRACK = """
INSERT INTO tracking VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET notification_id = max(notification_id, excluded.notification_id)
"""
LAST_SEQUENCE = f"SELECT max(rowid) FROM {TABLE}"
NAME_LOG = f"INSERT INTO {TABLE}_log SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM {TABLE}_log)"
HIGHEST_VERSIONS = f"""
SELECT originator_id, max(originator_version) FROM {TABLE}
WHERE originator_id IN (SELECT value FROM json_each(?)) GROUP BY originator_id
"""
HAS_VERSION = f"SELECT 1 FROM {TABLE} WHERE originator_id = ? AND originator_version = ?"
COMMAND_SEQUENCES = f"SELECT rowid, commit_count FROM {TABLE} WHERE command = ? AND commit_index = 1"


def replica_statements(*, plain: bool) -> list[str]:
    """Return the statements that create the tables; a *plain* replica's streams are their own homes."""
    events = create_statements(TABLE, "at INTEGER NOT NULL, ")
    if plain:  # the home is the stream, which has an index already
        events = [statement for statement in events if f"{TABLE}_home" not in statement]
    return [*events, _CREATE_PLACE, _CREATE_TRACKING, _CREATE_SNAPSHOTS]
