"""A document store that reads some collections from another source than its own documents."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from projections.model import ReadModel
from projections.store import (
    Change,
    Checkpoint,
    Condition,
    DeadLetter,
    DocumentStore,
    Query,
    Rebuild,
    StoreUnavailableError,
)
from projections.writes import Document

T = TypeVar("T")

RECENT_SECONDS = 5.0
"""An answer that needs several questions takes less time than this."""


class Source(Protocol):
    """What queries read documents from; a `DocumentStore` is one."""

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        ...

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        ...

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*."""
        ...

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*, which are of one collection."""
        ...

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        ...

    def totals(
        self, collection: str, where: Sequence[Condition], fields: Sequence[str]
    ) -> Mapping[str, float]:
        """Return the sums of *fields* over the documents of *where*, and under `count` how many they are."""
        ...

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return `totals` of the documents that have each of *values* in *field*."""
        ...


class Forwarding(ABC):
    """A source that hands each question to another one."""

    @abstractmethod
    def _ask(self, collection: str, ask: Callable[[Source], T], /) -> T:
        """Put a question about *collection* to its source."""

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        return self._ask(collection, lambda source: source.get(collection, id))

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        return self._ask(collection, lambda source: source.get_many(collection, ids))

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*."""
        return self._ask(query.collection, lambda source: source.find(query))

    def find_many(self, queries: Sequence[Query]) -> list[list[Document]]:
        """Return the documents of each of *queries*, which are of one collection."""
        return self._ask(queries[0].collection, lambda source: source.find_many(queries)) if queries else []

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        return self._ask(collection, lambda source: source.count(collection))

    def totals(
        self, collection: str, where: Sequence[Condition], fields: Sequence[str]
    ) -> Mapping[str, float]:
        """Return the sums of *fields* over the documents of *where*, and under `count` how many they are."""
        return self._ask(collection, lambda source: source.totals(collection, where, fields))

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return `totals` of the documents that have each of *values* in *field*."""
        return self._ask(collection, lambda source: source.totals_by(collection, field, values, fields))


class RoutedStore(Forwarding):
    """Read each of some collections from its source, and all others from *own*, where writes go too."""

    def __init__(
        self, own: DocumentStore, sources: Mapping[str, Source], default: Source | None = None
    ) -> None:
        """Read from *sources* by collection, else from *default*; without it, from *own*."""
        self._own = own
        self._sources = sources
        self._default = own if default is None else default

    def _ask(self, collection: str, ask: Callable[[Source], T], /) -> T:
        return ask(self._sources.get(collection, self._default))

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document; written out, because it is called most."""
        return self._sources.get(collection, self._default).get(collection, id)

    def prepare(self, models: Iterable[ReadModel]) -> None:
        """Make the collections and indexes of *models*."""
        self._own.prepare(models)

    def checkpoints(self, partition: int = 0) -> Mapping[str, Checkpoint]:
        """Return the checkpoint in *partition* of each prepared model."""
        return self._own.checkpoints(partition)

    def apply(self, changes: Sequence[Change]) -> None:
        """Do *changes*."""
        self._own.apply(changes)

    def dead_letters(self, model: str | None = None) -> list[DeadLetter]:
        """Return the dead letters that were written here."""
        return self._own.dead_letters(model)

    def begin_rebuild(self, model: ReadModel) -> Rebuild:
        """Begin to build a model again."""
        return self._own.begin_rebuild(model)


class Fallback(Forwarding):
    """Read from *first*; while it is unavailable, from *second*."""

    def __init__(self, first: Source, second: Source) -> None:
        """Prefer *first*."""
        self._first = first
        self._second = second
        self._failed = -RECENT_SECONDS

    def _ask(self, _collection: str, ask: Callable[[Source], T], /) -> T:
        try:
            return ask(self._first)
        except StoreUnavailableError:
            self._failed = time.monotonic()
            return ask(self._second)

    @property
    def failed_recently(self) -> bool:
        """Return whether an answer that is composed now may come from the second source."""
        return time.monotonic() - self._failed < RECENT_SECONDS
