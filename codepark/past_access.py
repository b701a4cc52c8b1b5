"""Projects of the past, which those may see who may see them now."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from codepark.routed_store import Forwarding, Source
from projections.models.projects import PROJECTS
from projections.queries.access import PRESENT
from projections.store import DocumentStore
from projections.writes import Document

T = TypeVar("T")


class PastProjects(Forwarding):
    """Read projects from *past*, each with its document in *present*, which decides who may see it."""

    def __init__(self, past: DocumentStore, present: DocumentStore) -> None:
        """Read from both."""
        self._past = past
        self._present = present

    def _ask(self, _collection: str, ask: Callable[[Source], T], /) -> T:
        return ask(self._past)

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        return self.get_many(collection, [id]).get(id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that existed, by id."""
        documents = self._past.get_many(collection, ids)
        now = self._present.get_many(PROJECTS, list(documents)) if documents else {}
        return {
            id_: {**document, PRESENT: now[id_]} if id_ in now else document
            for id_, document in documents.items()
        }
