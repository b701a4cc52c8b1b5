"""The document store that projections write and queries read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from projections.model import ReadModel
from projections.writes import Document, Write


class StoreUnavailableError(Exception):
    """The document store does not answer now."""


class ModelSwitchedError(StoreUnavailableError):
    """Another process has switched the model to a new generation: load its checkpoint, and continue there.

    Raised once for each switch, in each partition that this process writes.
    """


class NewerModelError(StoreUnavailableError):
    """A newer version of the model is live: this process may read it, but not write it."""


class Equals(Struct, frozen=True):
    """The field has this value; a multikey field: one of its items has it."""

    field: str
    value: str | int | bool | None


class OneOf(Struct, frozen=True):
    """The field has one of these values."""

    field: str
    values: tuple[str, ...]


class StartsWith(Struct, frozen=True):
    """The text field begins with this prefix."""

    field: str
    prefix: str


class Above(Struct, frozen=True):
    """The field is greater than this value."""

    field: str
    value: str | int


class Outside(Struct, frozen=True):
    """The number field is below *first*, or not below *end*; without an end, it is below *first*."""

    field: str
    first: int
    end: int | None


class Matches(Struct, frozen=True):
    """Full-text search in the collection's text fields: every word occurs, the last one as a prefix.

    Of scripts that do not separate words, such as Japanese, what is searched for occurs anywhere. Case and
    diacritics do not count; a text without words matches nothing.
    """

    text: str


Condition = Equals | OneOf | StartsWith | Above | Outside | Matches


class Query(Struct, frozen=True, kw_only=True):
    """Which documents, in which order.

    All conditions of *where* hold and, if there are *scopes*, those of at least one scope. *after* is the
    sort value and the id of the last document of the page before. With *most_bytes*, the answer ends before
    the document that would pass them, though not before the second one: it is then `CutShort`.
    """

    collection: str
    where: tuple[Condition, ...] = ()
    scopes: tuple[tuple[Condition, ...], ...] = ()
    sort: str = "id"
    descending: bool = False
    limit: int = 20
    after: tuple[Any, str] | None = None
    most_bytes: int | None = None


class CutShort(list[Document]):
    """The first documents of a query, which has more: these would have passed its bytes."""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a model is: the sequence that it includes, and the streams that a dead letter blocks.

    *resume_at* says where in the log a reader resumes, in the log's own terms; empty if only the sequence is
    known.
    """

    sequence: int = 0
    blocked: frozenset[str] = frozenset()
    resume_at: bytes = b""

    def moved(self, sequence: int, resume_at: bytes, blocked: frozenset[str]) -> "Checkpoint":
        """Return the checkpoint at *sequence*, or at its own where that is later."""
        if sequence < self.sequence:
            return Checkpoint(sequence=self.sequence, blocked=blocked, resume_at=self.resume_at)
        return Checkpoint(sequence=sequence, blocked=blocked, resume_at=resume_at)


class DeadLetter(Struct, frozen=True, kw_only=True):
    """An event that a model could not take, or a later one of its stream, which waits (*reason* None)."""

    model: str
    stream: str
    sequence: int
    topic: str
    reason: str | None
    partition: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """What one step does to one model in one *partition*.

    *writes* come in ascending positions and lead to *checkpoint*. *dead_letters* are added; those at the
    sequences *solved* are deleted.
    """

    model: str
    writes: Sequence[tuple[int, Sequence[Write]]]
    checkpoint: Checkpoint
    dead_letters: Sequence[DeadLetter] = ()
    solved: Sequence[int] = ()
    partition: int = 0


class DocumentStore(Protocol):
    """The documents of all read models. Any thread may read; one thread at a time may write.

    A model has one checkpoint for each partition of the log. A document has one position, because all of its
    writes come from one partition.

    Every method raises StoreUnavailableError when the store does not answer.
    """

    def prepare(self, models: Iterable[ReadModel]) -> None:
        """Create the collections and indexes of *models* that are missing, each with a live generation.

        A model whose version is above that of the live generation begins with an empty one. If several
        processes use the store, a model with a lower version leaves the live generation as it is: this
        process reads it, and gets NewerModelError when it writes.
        """
        ...

    def checkpoints(self, partition: int = 0) -> Mapping[str, Checkpoint]:
        """Return the checkpoint in *partition* of each prepared model's live generation."""
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply *changes*; a write at or below its document's position does nothing.

        A checkpoint is never stored before its documents and dead letters. If a crash leaves documents
        without their checkpoint, the changes are applied again, which changes nothing. A checkpoint behind
        the stored one is ignored: redelivered events do not move a model back.

        Raises ValueError, before anything is written, where a collection is not the model's;
        ModelSwitchedError; and NewerModelError.
        """
        ...

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # the field's name
        """Return a document."""
        ...

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        ...

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*."""
        ...

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*, which name one collection, in one request."""
        ...

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        ...

    def totals(
        self, collection: str, where: Sequence[Condition], fields: Sequence[str]
    ) -> Mapping[str, float]:
        """Return the sums of number fields over the documents of *where*, and their number under `count`."""
        ...

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return the `totals` of the documents with each of *values* in *field*, by value, in one request."""
        ...

    def dead_letters(self, model: str | None = None) -> list[DeadLetter]:
        """Return the dead letters, including those that wait, in order of partition and sequence."""
        ...

    def begin_rebuild(self, model: ReadModel) -> "Rebuild":
        """Begin to rebuild a model next to the live one; an unfinished rebuild of it is dropped."""
        ...


class Rebuild(Protocol):
    """A model that is being rebuilt next to the live one."""

    def apply(
        self,
        writes: Sequence[tuple[int, Sequence[Write]]],
        sequence: int,
        resume_at: bytes = b"",
        partition: int = 0,
    ) -> None:
        """Apply the writes of *partition* through *sequence*, after which a reader resumes at *resume_at*."""
        ...

    def switch(self) -> None:
        """Make this the live generation, in one atomic step; drop the old one and the model's dead letters.

        Raises ValueError if the rebuild is behind the live checkpoint of any partition, or has ended.
        """
        ...

    def cancel(self) -> None:
        """Drop this generation, unless the rebuild has ended."""
        ...
