"""The store's own collections.

The text of an applied migration must not change. Therefore this one imports nothing of ours that may be
renamed.
"""

from typing import Any

from pymongo import IndexModel
from pymongo.database import Database

DESCRIPTION = "the catalog of read models, dead letters, retired collections and locks, with their indexes"
EARLIER_CHECKSUMS = (
    "754a8fe512410450fff710d972290db2c8fa78146b21e1a3259c68d94c13ba82",
    "db8e5e573bf0df90a911b9b4aaf0cd7a1f06fc08ba22ca9724a86a3ee0312b4f",
)

_COLLECTIONS = ("aliases", "dead_letters", "retired", "locks")


def apply(database: Database[dict[str, Any]]) -> None:
    """Create what is missing."""
    existing = set(database.list_collection_names())
    for name in _COLLECTIONS:
        if name not in existing:
            database.create_collection(name)
    database["dead_letters"].create_indexes([IndexModel([("model", 1), ("sequence", 1)])])
    database["retired"].create_indexes([IndexModel([("at", 1)])])


def is_needed(database: Database[dict[str, Any]]) -> bool:
    """Return whether something is missing: a worker that has started made the same."""
    return not {"dead_letters", "retired"} <= set(database.list_collection_names())


def rollback(database: Database[dict[str, Any]]) -> None:
    """Drop what is empty; what read models depend on stays."""
    for name in _COLLECTIONS:
        if name != "locks" and database[name].find_one() is None:
            database.drop_collection(name)
