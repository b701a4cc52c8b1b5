"""The tables of the index, and the statements on them."""
# ruff: noqa: S608 # the names in the statements are ours; values are parameters

import re

VERSION = 1
LAST = (1 << 63) - 1

CREATE = (
    """CREATE TABLE IF NOT EXISTS projects (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL, chain BLOB NOT NULL,
        epoch INTEGER NOT NULL, files INTEGER NOT NULL, changes INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS epochs (
        project INTEGER, start INTEGER, PRIMARY KEY (project, start)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS files (
        project INTEGER, epoch INTEGER, path TEXT, since INTEGER, version INTEGER NOT NULL,
        size INTEGER NOT NULL, digest TEXT, PRIMARY KEY (project, epoch, path, since)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS changes (
        project INTEGER, sequence INTEGER, path TEXT NOT NULL, alone INTEGER NOT NULL,
        PRIMARY KEY (project, sequence)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS changes_alone ON changes (project, sequence) WHERE alone",
    """CREATE TABLE IF NOT EXISTS commits (
        project INTEGER, number INTEGER, sequence INTEGER NOT NULL, end INTEGER NOT NULL,
        authored INTEGER NOT NULL, PRIMARY KEY (project, number)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS commits_sequence ON commits (project, sequence)",
    "CREATE INDEX IF NOT EXISTS commits_authored ON commits (project, authored, number)",
    """CREATE TABLE IF NOT EXISTS snapshots (
        project INTEGER, version INTEGER, document BLOB NOT NULL, PRIMARY KEY (project, version))
        WITHOUT ROWID""",
)
TABLES = tuple(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", "".join(CREATE)))
BELOW_A_PROJECT = TABLES[1:]

PROJECT = "SELECT number, sequence, chain, epoch, files, changes FROM projects WHERE id = ?"
NEW_PROJECT = "INSERT INTO projects (id, sequence, chain, epoch, files, changes) VALUES (?, 0, x'', 0, 0, 0)"
SAVE_PROJECT = """
UPDATE projects SET sequence = ?, chain = ?, epoch = ?, files = ?, changes = ? WHERE number = ?
"""
ADD_FILE = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)"
ADD_CHANGE = "INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?)"
ADD_COMMIT = "INSERT OR REPLACE INTO commits VALUES (?, ?, ?, ?, ?)"
ADD_EPOCH = "INSERT OR REPLACE INTO epochs VALUES (?, ?)"
ADD_SNAPSHOT = "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)"

# Of each path the last row by the moment; a bare column comes from the row that has the maximum.
_LAST_OF_EACH = """
SELECT path, max(since) AS since, version, size, digest FROM files
WHERE project = :project AND epoch = :epoch AND since <= :sequence AND path > :after AND path >= :first
AND path < :beyond GROUP BY path HAVING version > 0
"""
FILES = f"{_LAST_OF_EACH} ORDER BY path LIMIT :limit"
NEXT_EPOCH = f"""
INSERT INTO files SELECT :project, :next, path, since, version, size, digest FROM ({_LAST_OF_EACH})
"""
EPOCH = "SELECT max(start) FROM epochs WHERE project = ? AND start <= ?"
CHANGED_AFTER = "SELECT path FROM changes WHERE project = ? AND sequence > ? ORDER BY sequence LIMIT ?"
LAST_CHANGE = "SELECT max(sequence) FROM changes WHERE project = ? AND sequence <= ?"
LAST_CHANGE_ALONE = """
SELECT sequence FROM changes WHERE project = ? AND sequence <= ? AND alone ORDER BY sequence DESC LIMIT 1
"""
COMMITS_AT = """
SELECT number, sequence FROM commits WHERE project = ? AND sequence <= ? ORDER BY sequence DESC LIMIT 1
"""
LAST_AUTHORED = "SELECT authored FROM commits WHERE project = ? ORDER BY number DESC LIMIT 1"
AUTHORED_BY = """
SELECT end FROM commits WHERE project = ? AND authored <= ? ORDER BY authored DESC, number DESC LIMIT 1
"""
SNAPSHOT = """
SELECT version, document FROM snapshots WHERE project = ? AND version <= ? ORDER BY version DESC LIMIT 1
"""
