"""The document store of the embedded profile, on SQLite."""

from projections.sqlite.store import SQLiteDocumentStore

__all__ = ["SQLiteDocumentStore"]
