"""What a projector wants to change in documents. A store applies each write once, guarded by its position."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

Document = dict[str, Any]
"""A JSON object. Every document carries its own `id`."""


class Put(Struct, frozen=True):
    """Make *document* the whole document."""

    collection: str
    id: str
    document: Document


class PutOnce(Struct, frozen=True):
    """Make *document* the whole document, unless there is one: it never changes after that.

    A document that many events ask for costs the first of them a write, and the others hardly anything.
    """

    collection: str
    id: str
    document: Document


class Patch(Struct, frozen=True):
    """Set top-level fields of a document, if it exists."""

    collection: str
    id: str
    changes: Document


class Derive(Struct, frozen=True):
    """Set the fields that *derive* computes from the document as it is, and *changes*, if it exists.

    *derive* is pure, so that the same events always give the same document.
    """

    collection: str
    id: str
    derive: Callable[[Document], Document]
    changes: Document = {}


class SetItem(Struct, frozen=True):
    """Put *item* into the list at *field*; it replaces the item with the same value under *key*.

    Also sets *changes*. Nothing happens if the document does not exist.
    """

    collection: str
    id: str
    field: str
    key: str
    item: Document
    changes: Document = {}


class PatchItem(Struct, frozen=True):
    """Set fields of the item with *value* under *key* in the list at *field*, if there is such an item.

    Also sets the document's own fields of *document_changes*. Nothing happens if the document does not exist.
    """

    collection: str
    id: str
    field: str
    key: str
    value: str
    changes: Document
    document_changes: Document = {}


class DropItem(Struct, frozen=True):
    """Remove the item with *value* under *key* from the list at *field*.

    Also sets *changes*. Nothing happens if the document does not exist.
    """

    collection: str
    id: str
    field: str
    key: str
    value: str
    changes: Document = {}


class Delete(Struct, frozen=True):
    """Delete a document; a tombstone keeps its position."""

    collection: str
    id: str


Write = Put | PutOnce | Patch | Derive | SetItem | PatchItem | DropItem | Delete
