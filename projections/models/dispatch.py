"""Build a read model from a table of functions, and keep the versions of its documents."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

from msgspec.structs import replace

from domain.event import Event
from domain.record import Record
from domain.times import rfc3339
from projections.model import Collection, ReadModel
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

Handlers = Mapping[type[Event], Callable[[Any, Record], Iterable[Write]]]
"""What a read model makes of each type of event that concerns it."""


def read_model(
    name: str,
    handlers: Handlers,
    *collections: Collection,
    version: int = 1,
    answers_commands: bool = False,
) -> ReadModel:
    """Return the read model that *handlers* fill; events without a handler change no document.

    The exception are events of a stream that one of *collections* shows: each of them sets `version` and
    `updatedAt` of the stream's document, with a handler or without one. *answers_commands* is explained at
    ReadModel.
    """
    showing = {
        cls: (collection.name, collection.shows.document)
        for collection in collections
        if collection.shows is not None
        for cls in collection.shows.events
    }

    def project(event: Event, record: Record) -> Iterable[Write]:
        cls = type(event)
        handle = handlers.get(cls)
        writes = () if handle is None else handle(event, record)
        shown = showing.get(cls)
        return writes if shown is None else _stamped(writes, shown[0], shown[1](event), record)

    return ReadModel(
        name=name,
        version=version,
        answers_commands=answers_commands,
        collections=collections,
        project=project,
        topics=frozenset(cls.TOPIC for cls in (*handlers, *showing)),
    )


def _stamped(writes: Iterable[Write], collection: str, id_: str, record: Record) -> list[Write]:
    """Return *writes* with the version and the time of *record* set on the document that shows its stream."""
    stamp = {"version": record.version, "updatedAt": rfc3339(record.occurred_at)}
    result, missing = [], True
    for write in writes:
        if write.id == id_ and write.collection == collection:
            result.append(_with_fields(write, stamp))
            missing = False
        else:
            result.append(write)
    if missing:
        result.append(Patch(collection, id_, stamp))
    return result


def _with_fields(write: Write, fields: Document) -> Write:
    """Return *write*, which sets *fields* of the document too; a deleted document has none."""
    match write:
        case Put():
            return Put(write.collection, write.id, {**write.document, **fields})
        case Patch() | Derive() | SetItem() | DropItem():
            return replace(write, changes={**write.changes, **fields})
        case PatchItem():
            return replace(write, document_changes={**write.document_changes, **fields})
        case Delete():
            return write
        case PutOnce():
            raise TypeError(f"{write.collection} shows streams, whose documents change: Put them")
        case _:
            assert_never(write)
