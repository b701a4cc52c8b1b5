"""Documents as they lie in MongoDB: their own fields, `_id` in place of `id`, and what the store needs beside them."""

from collections.abc import Sequence
from typing import Any

from projections.fold import Stored
from projections.model import Collection
from projections.mongodb.search_words import words_of
from projections.writes import Document

POSITION = "_position"
WORDS = "_words"
DELETED = "_deleted"

HOUSEKEEPING = {POSITION: 0, WORDS: 0}
"""The projection that leaves out what is not the document's; tombstones are never read."""

PRESENT: Document = {DELETED: None}
"""The filter that leaves tombstones out."""


def path(field: str) -> str:
    """Return where *field* of a document lies."""
    return "_id" if field == "id" else field


def to_stored(id_: str, stored: Stored, text: Sequence[str]) -> Document:
    """Return what is written for *stored*; *text* are the fields that search covers."""
    if stored.document is None:
        return {"_id": id_, POSITION: stored.position, DELETED: True}
    found: Document = {"_id": id_, POSITION: stored.position, **stored.document}
    found.pop("id", None)
    if text:
        found[WORDS] = words_of(stored.document.get(field) for field in text)
    return found


def from_stored(raw: Document) -> Stored:
    """Return the document and its position from what was read whole."""
    position: int = raw[POSITION]
    return Stored(position, None if raw.get(DELETED) else to_document(raw))


def to_document(raw: Document) -> Document:
    """Return the document as it was put."""
    return {
        "id": raw["_id"],
        **{name: value for name, value in raw.items() if name not in _OURS},
    }


def index_keys(collection: Collection) -> list[list[tuple[str, Any]]]:
    """Return the keys of the indexes of *collection*: the field to sort by comes last, newest first."""
    keys: list[list[tuple[str, Any]]] = [
        [*((path(field), 1) for field in fields[:-1]), (path(fields[-1]), -1), ("_id", -1)]
        for fields in collection.indexes
    ]
    keys += [[(field, 1)] for field in collection.multikey]
    if collection.text:
        keys.append([(WORDS, 1)])
    return keys


_OURS = frozenset({"_id", POSITION, WORDS, DELETED})
