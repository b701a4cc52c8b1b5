"""What a read model is: its collections, and the pure function that fills them."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from domain.event import Event
from domain.record import Record
from projections.writes import Write

if TYPE_CHECKING:
    from projections.store import DocumentStore

Projector = Callable[[Event, Record], Iterable[Write]]
"""From an event and its record to writes, at most one for each document; without I/O and without a clock."""


class Shows(Struct, frozen=True, kw_only=True):
    """The streams whose present state a collection shows, one document for each stream.

    *events* are all event types of these streams. *document* returns, from an event, the id of the document
    that shows its stream. Every such event moves the document's `version` to that of the stream, on which
    conditional writes rely.
    """

    events: tuple[type[Event], ...]
    document: Callable[[Any], str]


class Collection(Struct, frozen=True, kw_only=True):
    """Documents of one kind.

    *indexes* are lists of fields; an index whose last field is a sort field serves lists in that order. Of
    *sums*, the last field is added up over the documents with given values of the others, by an index alone.
    *sparse* are indexes that hold only the documents with their last field: few documents should have it, and
    a query that such an index serves has a condition that excludes null on that field.
    *multikey* names fields inside lists (`collaborators.userId`) by which documents are looked up; *text*
    names the fields that full-text search covers. *shows* are the streams whose versions the documents carry.
    """

    name: str
    indexes: tuple[tuple[str, ...], ...] = ()
    sums: tuple[tuple[str, ...], ...] = ()
    sparse: tuple[tuple[str, ...], ...] = ()
    multikey: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    shows: Shows | None = None


class CatchUp(Struct, frozen=True, kw_only=True):
    """What one turn of work that was put off writes, and the homes whose documents that changes.

    With *waiting* there may be more: at once where this turn has written something, else after a while.
    """

    writes: Sequence[tuple[int, Sequence[Write]]] = ()
    homes: frozenset[str] = frozenset()
    waiting: bool = False


class ReadModel(Struct, frozen=True, kw_only=True):
    """A read model, which is rebuilt as a whole. *version* is raised when the shape of its documents changes.

    *topics* are the event types that it wants, None for all. *answers_commands* says that answers to commands
    show its documents: a node then builds the documents that a command changed from its own replica.
    *prepare* gets a batch before it is projected, may work ahead for it, and returns the events that still
    matter: a later event may make an earlier one superfluous.

    A model may put work off: *catch_up* does a turn of it, for one partition of the log, between batches.
    *has_put_off* returns whether this process has put anything off in it since that; what another process
    put off is only in the store. What a turn writes has positions between those of events, of which each has
    so many *positions*.
    """

    name: str
    version: int
    collections: tuple[Collection, ...]
    project: Projector
    topics: frozenset[str] | None = None
    answers_commands: bool = False
    prepare: Callable[[Sequence[tuple[Event, Record]]], Sequence[tuple[Event, Record]]] | None = None
    positions: int = 1
    catch_up: Callable[["DocumentStore", int], CatchUp] | None = None
    has_put_off: Callable[[int], bool] | None = None
