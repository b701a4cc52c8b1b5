"""The document store that projections write and queries read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from projections.model import ReadModel
from projections.writes import Document, Write


class StoreUnavailableError(Exception):
    """The document store does not answer now."""


class ModelSwitchedError(StoreUnavailableError):
    """Somebody else switched the model that was written to: load its checkpoint again, and go on from there.

    It is raised once for each switch in each partition that is written to.
    """


class NewerModelError(StoreUnavailableError):
    """A newer version of the model is live: this process may read it, but not write it."""


class Equals(Struct, frozen=True):
    """The field has this value; on a multikey field, some item has it."""

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


class Matches(Struct, frozen=True):
    """Full-text search over the collection's text fields: every word occurs, the last one as a prefix.

    Case and diacritics do not count; a text without words matches nothing.
    """

    text: str


Condition = Equals | OneOf | StartsWith | Above | Matches


class Query(Struct, frozen=True, kw_only=True):
    """Which documents, in which order.

    All of *where* hold, and one of *scopes* (each a tuple of conditions that all hold) unless there are none.
    *after* is the sort value and the id of the last document of the page before.
    """

    collection: str
    where: tuple[Condition, ...] = ()
    scopes: tuple[tuple[Condition, ...], ...] = ()
    sort: str = "id"
    descending: bool = False
    limit: int = 20
    after: tuple[Any, str] | None = None


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a model has come: the sequence it includes, and the streams blocked by a dead letter.

    *place* marks where in the source that is, in the words of who reads it; empty: only the sequence is known.
    """

    sequence: int = 0
    blocked: frozenset[str] = frozenset()
    place: bytes = b""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """An event that a model could not take, or one that waits behind such an event of its stream (*reason* None)."""

    model: str
    stream: str
    sequence: int
    topic: str
    reason: str | None
    partition: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """What one step does to one model: writes by position, the checkpoint that they lead to, dead letters.

    All of it is about one *partition*. *writes* come in ascending positions. *solved* are sequences of dead letters that
    are no more.
    """

    model: str
    writes: Sequence[tuple[int, Sequence[Write]]]
    checkpoint: Checkpoint
    dead_letters: Sequence[DeadLetter] = ()
    solved: Sequence[int] = ()
    partition: int = 0


class DocumentStore(Protocol):
    """Documents of all read models. Reads from any thread; writes from one at a time.

    A model has one checkpoint for each partition of the log. A document has one position: all that is ever written to
    it comes from one partition.

    Every method raises StoreUnavailableError where the store does not answer.
    """

    def prepare(self, models: Iterable[ReadModel]) -> None:
        """Make the collections and indexes of *models* where they are missing, each with a live generation.

        A version above the live one begins empty. Where several processes use the store, a version below it leaves
        the live one as it is: that process reads it, and NewerModelError meets what it writes.
        """
        ...

    def checkpoints(self, partition: int = 0) -> Mapping[str, Checkpoint]:
        """Return the checkpoint in *partition* of each prepared model's live generation."""
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Do *changes*; a write at or below its document's position does nothing.

        A checkpoint is never there without its documents and dead letters: a store that has no one step for all
        writes dead letters and documents first. What a crash leaves without its checkpoint is applied again, which
        changes nothing. A checkpoint behind the stored one is left out: redelivery does not take a model back.
        Raises ValueError, before anything is written, where a collection is not the model's; ModelSwitchedError; and
        NewerModelError.
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
        """Return the documents of each of *queries*, which are of one collection: one question, however many they are."""
        ...

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        ...

    def totals(
        self, collection: str, where: Sequence[Condition], fields: Sequence[str]
    ) -> Mapping[str, float]:
        """Return the sums of number *fields* over the documents of *where*, and under `count` how many they are."""
        ...

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return `totals` of the documents that have each of *values* in *field*, in one question."""
        ...

    def dump(self, collection: str) -> Iterable[Document]:
        """Return every document in order of id; a test or `doctor` compares two builds with it."""
        ...

    def dead_letters(self, model: str | None = None) -> list[DeadLetter]:
        """Return the dead letters and what waits behind them, in order of partition and sequence."""
        ...

    def begin_rebuild(self, model: ReadModel) -> "Rebuild":
        """Begin to build a model anew beside the live one; an unfinished build of it is dropped."""
        ...


class Rebuild(Protocol):
    """A model that is being built beside the live one."""

    def apply(
        self,
        writes: Sequence[tuple[int, Sequence[Write]]],
        sequence: int,
        place: bytes = b"",
        partition: int = 0,
    ) -> None:
        """Apply writes of *partition* by position, up to *sequence*, which is at *place*."""
        ...

    def switch(self) -> None:
        """Let readers see this build from now on, in one atomic step, and drop the old one.

        The model's dead letters go with it. Raises ValueError where the build is behind the live checkpoint of any
        partition, or ended.
        """
        ...

    def cancel(self) -> None:
        """Drop this build, unless it has ended."""
        ...
