"""What a read model is: its collections, and the pure function that fills them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from domain.event import Event
from domain.record import Record
from projections.writes import Write

Projector = Callable[[Event, Record], Iterable[Write]]
"""From an event and the record that carries it to writes: at most one for each document; no I/O, no clock."""


class Shows(Struct, frozen=True, kw_only=True):
    """The streams whose present state a collection shows, one document for each stream.

    *events* are all event types of these streams. *document* returns the id of the document that shows the stream of
    an event. Every such event moves the document's `version` to that of the stream, on which conditional writes rely.
    """

    events: tuple[type[Event], ...]
    document: Callable[[Any], str]


class Collection(Struct, frozen=True, kw_only=True):
    """Documents of one kind.

    *indexes* are lists of fields; one that ends in a field to sort by serves lists. *multikey* names fields inside
    lists (`collaborators.userId`) by which documents are looked up; *text* names the fields that full-text search
    covers. *shows* are the streams whose versions the documents carry.
    """

    name: str
    indexes: tuple[tuple[str, ...], ...] = ()
    multikey: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    shows: Shows | None = None


class ReadModel(Struct, frozen=True, kw_only=True):
    """A read model: rebuilt as a whole; *version* counts the shapes of its documents.

    *topics* are the events that it wants, None for all. *answers_commands* tells that the answer to a command shows its
    documents: a node then builds those that a command changed from its own replica. *prepare* sees a batch before it is projected, may work ahead
    for it, and returns the events that still matter (a later one may make an earlier one of the batch superfluous).
    """

    name: str
    version: int
    collections: tuple[Collection, ...]
    project: Projector
    topics: frozenset[str] | None = None
    answers_commands: bool = False
    prepare: Callable[[Sequence[tuple[Event, Record]]], Sequence[tuple[Event, Record]]] | None = None
