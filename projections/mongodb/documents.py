"""Documents as MongoDB stores them: `_id` in place of `id`, their own fields, and some of the store."""

from collections.abc import Sequence
from typing import Any

from projections.fold import StoredDocument
from projections.model import Collection
from projections.search_words import index_terms
from projections.writes import Document

POSITION = "_position"
WORDS = "_words"
DELETED = "_deleted"

HOUSEKEEPING = {POSITION: 0, WORDS: 0}
"""The projection that leaves the store's own fields out; tombstones are never read with it."""

PRESENT: Document = {DELETED: None}
"""The filter that leaves tombstones out."""

_NOT_THE_DOCUMENTS = frozenset({"_id", POSITION, WORDS, DELETED})


def path(field: str) -> str:
    """Return the path of a document's *field*."""
    return "_id" if field == "id" else field


def to_stored(id_: str, stored: StoredDocument, text: Sequence[str]) -> Document:
    """Return what MongoDB stores for *stored*; *text* are the fields that search covers."""
    if stored.document is None:
        return {"_id": id_, POSITION: stored.position, DELETED: True}
    raw: Document = {"_id": id_, POSITION: stored.position, **stored.document}
    raw.pop("id", None)
    if text:
        raw[WORDS] = index_terms(stored.document.get(field) for field in text)
    return raw


def from_stored(raw: Document) -> StoredDocument:
    """Return the document and its position from everything that is stored of it."""
    position: int = raw[POSITION]
    return StoredDocument(position, None if raw.get(DELETED) else to_document(raw))


def to_document(raw: Document) -> Document:
    """Return the document as the projector wrote it."""
    return {
        "id": raw["_id"],
        **{name: value for name, value in raw.items() if name not in _NOT_THE_DOCUMENTS},
    }


def index_keys(collection: Collection) -> list[list[tuple[str, Any]]]:
    """Return the keys of the indexes of *collection*; a sort field comes last, in descending order."""
    keys = [_sorted_keys(fields) for fields in collection.indexes]
    keys += [[(path(field), 1) for field in fields] for fields in collection.sums]
    keys += [[(field, 1)] for field in collection.multikey]
    if collection.text:
        keys.append([(WORDS, 1)])
    return keys


def sparse_keys(collection: Collection) -> list[list[tuple[str, Any]]]:
    """Return the keys of the indexes that hold only the documents with the field before the id."""
    return [_sorted_keys(fields) for fields in collection.sparse]


def _sorted_keys(fields: Sequence[str]) -> list[tuple[str, Any]]:
    return [*((path(field), 1) for field in fields[:-1]), (path(fields[-1]), -1), ("_id", -1)]
