"""What writes make of a document: the one meaning that every store gives them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from projections.writes import Delete, Document, DropItem, Patch, PatchItem, Put, SetItem, Write


class Stored(NamedTuple):
    """A document and the position of the write that made it so; None is a tombstone, or nothing yet at 0."""

    position: int
    document: Document | None


NOTHING = Stored(0, None)

Grouped = dict[str, dict[str, list[tuple[int, Write]]]]
"""Writes by collection and document, in order."""


def group(batch: Iterable[tuple[int, Sequence[Write]]], into: Grouped) -> None:
    """Sort the writes of *batch* by document."""
    for position, writes in batch:
        for write in writes:
            documents = into.setdefault(write.collection, {})
            found = documents.get(write.id)
            if found is None:
                documents[write.id] = [(position, write)]
            else:
                found.append((position, write))


def fold(stored: Stored, writes: Iterable[tuple[int, Write]]) -> Stored:
    """Return what *writes* make of *stored*; those at or below its position do nothing.

    Documents are never changed in place: a result shares what stayed with what was there before.
    """
    for position, write in writes:
        if position > stored.position:
            stored = _FOLDS[type(write)](stored, position, write)
    return stored


def needs_document(writes: Iterable[tuple[int, Write]]) -> bool:
    """Tell whether the outcome of *writes* depends on more than the stored position."""
    return any(type(write) is not Put and type(write) is not Delete for _, write in writes)


def _put(_: Stored, position: int, write: Put) -> Stored:
    return Stored(position, write.document)


def _delete(_: Stored, position: int, __: Delete) -> Stored:
    return Stored(position, None)


def _patch(stored: Stored, position: int, write: Patch) -> Stored:
    if stored.document is None:
        return stored
    return Stored(position, {**stored.document, **write.changes})


def _set_item(stored: Stored, position: int, write: SetItem) -> Stored:
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
    return Stored(position, {**stored.document, write.field: items, **write.changes})


def _patch_item(stored: Stored, position: int, write: PatchItem) -> Stored:
    if stored.document is None:
        return stored
    items = [
        {**item, **write.changes} if item.get(write.key) == write.value else item
        for item in stored.document.get(write.field) or ()
    ]
    return Stored(position, {**stored.document, write.field: items, **write.document_changes})


def _drop_item(stored: Stored, position: int, write: DropItem) -> Stored:
    if stored.document is None:
        return stored
    items = [item for item in stored.document.get(write.field) or () if item.get(write.key) != write.value]
    return Stored(position, {**stored.document, write.field: items, **write.changes})


_FOLDS: dict[type[Write], Callable[[Stored, int, Any], Stored]] = {
    Put: _put,
    Patch: _patch,
    SetItem: _set_item,
    PatchItem: _patch_item,
    DropItem: _drop_item,
    Delete: _delete,
}
