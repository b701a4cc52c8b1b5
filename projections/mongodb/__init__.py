"""The document store of the cluster profile, on MongoDB."""

from projections.mongodb.connection import connect
from projections.mongodb.store import MongoDocumentStore

__all__ = ["MongoDocumentStore", "connect"]
