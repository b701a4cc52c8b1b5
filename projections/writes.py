"""What a projector wants done to documents. A store applies each write once, guarded by its position."""

from typing import Any

from msgspec import Struct

Document = dict[str, Any]
"""A JSON object. Every document carries its own `id`."""


class Put(Struct, frozen=True):
    """Make *document* the whole document."""

    collection: str
    id: str
    document: Document


class Patch(Struct, frozen=True):
    """Set top-level fields of a document; nothing happens where it does not exist."""

    collection: str
    id: str
    changes: Document


class SetItem(Struct, frozen=True):
    """Put *item* into the list at *field*, in the place of the item with the same value under *key*.

    Sets *changes* too; nothing happens where the document does not exist.
    """

    collection: str
    id: str
    field: str
    key: str
    item: Document
    changes: Document = {}


class PatchItem(Struct, frozen=True):
    """Set fields of the item with *value* under *key* in the list at *field*, where there is such an item.

    Sets the document's own fields of *document_changes* too; nothing happens where the document does not exist.
    """

    collection: str
    id: str
    field: str
    key: str
    value: str
    changes: Document
    document_changes: Document = {}


class DropItem(Struct, frozen=True):
    """Take the item with *value* under *key* out of the list at *field*, and set *changes*.

    Nothing happens where the document does not exist.
    """

    collection: str
    id: str
    field: str
    key: str
    value: str
    changes: Document = {}


class Delete(Struct, frozen=True):
    """Delete a document; a tombstone keeps the position."""

    collection: str
    id: str


Write = Put | Patch | SetItem | PatchItem | DropItem | Delete
