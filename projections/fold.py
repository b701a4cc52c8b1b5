"""Apply writes to a document: the one meaning that every store gives them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from projections.writes import (
    Delete,
    Derive,
    Document,
    DropItem,
    Patch,
    PatchItem,
    Put,
    PutOnce,
    SetItem,
    Write,
)


class StoredDocument(NamedTuple):
    """A document with the position of its last write; None is a tombstone, or at position 0 nothing yet."""

    position: int
    document: Document | None


NOTHING = StoredDocument(0, None)

GroupedWrites = dict[str, dict[str, list[tuple[int, Write]]]]
"""Writes with their positions by collection and document, in order."""


def group(batch: Iterable[tuple[int, Sequence[Write]]], into: GroupedWrites) -> None:
    """Add the writes of *batch* to the documents that they concern."""
    for position, writes in batch:
        for write in writes:
            documents = into.setdefault(write.collection, {})
            positioned = documents.get(write.id)
            if positioned is None:
                documents[write.id] = [(position, write)]
            else:
                positioned.append((position, write))


def fold(stored: StoredDocument, writes: Iterable[tuple[int, Write]]) -> StoredDocument:
    """Return *stored* after *writes*; a write at or below its position does nothing.

    Documents are never changed in place: the result shares unchanged parts with the document before.
    """
    for position, write in writes:
        if position > stored.position:
            stored = _FOLDS[type(write)](stored, position, write)
    return stored


def needs_document(writes: Iterable[tuple[int, Write]]) -> bool:
    """Return whether the outcome of *writes* depends on more than the stored position."""
    return any(type(write) is not Put and type(write) is not Delete for _, write in writes)


def _put(_: StoredDocument, position: int, write: Put) -> StoredDocument:
    return StoredDocument(position, write.document)


def _put_once(stored: StoredDocument, position: int, write: PutOnce) -> StoredDocument:
    return stored if stored.document is not None else StoredDocument(position, write.document)


def _delete(_: StoredDocument, position: int, __: Delete) -> StoredDocument:
    return StoredDocument(position, None)


def _patch(stored: StoredDocument, position: int, write: Patch) -> StoredDocument:
    if stored.document is None:
        return stored
    return StoredDocument(position, {**stored.document, **write.changes})


def _derive(stored: StoredDocument, position: int, write: Derive) -> StoredDocument:
    if stored.document is None:
        return stored
    derived = write.derive(stored.document)
    return StoredDocument(position, {**stored.document, **derived, **write.changes})


def _set_item(stored: StoredDocument, position: int, write: SetItem) -> StoredDocument:
    if stored.document is None:
        return stored
    items: list[Document] = list(stored.document.get(write.field) or ())
    value = write.item[write.key]
    for index, item in enumerate(items):
        if item.get(write.key) == value:
            items[index] = write.item
            break
    else:
        items.append(write.item)
    return StoredDocument(position, {**stored.document, write.field: items, **write.changes})


def _patch_item(stored: StoredDocument, position: int, write: PatchItem) -> StoredDocument:
    if stored.document is None:
        return stored
    items = [
        {**item, **write.changes} if item.get(write.key) == write.value else item
        for item in stored.document.get(write.field) or ()
    ]
    return StoredDocument(position, {**stored.document, write.field: items, **write.document_changes})


def _drop_item(stored: StoredDocument, position: int, write: DropItem) -> StoredDocument:
    if stored.document is None:
        return stored
    items = [item for item in stored.document.get(write.field) or () if item.get(write.key) != write.value]
    return StoredDocument(position, {**stored.document, write.field: items, **write.changes})


_FOLDS: dict[type[Write], Callable[[StoredDocument, int, Any], StoredDocument]] = {
    Put: _put,
    PutOnce: _put_once,
    Patch: _patch,
    Derive: _derive,
    SetItem: _set_item,
    PatchItem: _patch_item,
    DropItem: _drop_item,
    Delete: _delete,
}
