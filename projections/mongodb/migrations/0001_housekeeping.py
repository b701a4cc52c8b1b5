"""The store's own collections."""

from pymongo.database import Database

from projections.mongodb import schema
from projections.mongodb.dead_letters import DEAD_LETTERS
from projections.mongodb.locks import LOCKS
from projections.mongodb.model_registry import ALIASES
from projections.writes import Document

DESCRIPTION = "the catalog of read models, dead letters, retired collections and locks, with their indexes"

_COLLECTIONS = (ALIASES, DEAD_LETTERS, schema.RETIRED, LOCKS)


def apply(database: Database[Document]) -> None:
    """Make what is missing."""
    existing = set(database.list_collection_names())
    for name in _COLLECTIONS:
        if name not in existing:
            database.create_collection(name)
    schema.create_own(database)


def rollback(database: Database[Document]) -> None:
    """Drop what is empty: what read models stand on stays."""
    for name in _COLLECTIONS:
        if name != LOCKS and database[name].find_one() is None:
            database.drop_collection(name)
