"""What a read model is: its collections, and the pure function that fills them."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from domain.event import Event
from domain.record import Record
from projections.writes import Write

Projector = Callable[[Event, Record], Iterable[Write]]
"""From an event and the record that carries it to writes: at most one for each document; no I/O, no clock."""


class Collection(Struct, frozen=True, kw_only=True):
    """Documents of one kind.

    *indexes* are lists of fields; one that ends in a field to sort by serves lists. *multikey* names fields inside
    lists (`collaborators.userId`) that documents are found by; *text* the fields that full-text search covers.
    """

    name: str
    indexes: tuple[tuple[str, ...], ...] = ()
    multikey: tuple[str, ...] = ()
    text: tuple[str, ...] = ()


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
