"""The store's own collections.

The text of an applied migration must not change. Therefore this one imports nothing of ours that may be
renamed.
"""

from typing import Any

from pymongo import IndexModel
from pymongo.database import Database

DESCRIPTION = "the catalog of read models, dead letters, retired collections and locks, with their indexes"
EARLIER_CHECKSUMS = ("754a8fe512410450fff710d972290db2c8fa78146b21e1a3259c68d94c13ba82",)

_COLLECTIONS = ("aliases", "dead_letters", "retired", "locks")


def apply(database: Database[dict[str, Any]]) -> None:
    """Create what is missing."""
    existing = set(database.list_collection_names())
    for name in _COLLECTIONS:
        if name not in existing:
            database.create_collection(name)
    database["dead_letters"].create_indexes([IndexModel([("model", 1), ("sequence", 1)])])
    database["retired"].create_indexes([IndexModel([("at", 1)])])


def rollback(database: Database[dict[str, Any]]) -> None:
    """Drop what is empty; what read models depend on stays."""
    for name in _COLLECTIONS:
        if name != "locks" and database[name].find_one() is None:
            database.drop_collection(name)
