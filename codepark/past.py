"""Read models of one project as they were at an earlier position."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands.log import EventLog, Selection
from projections.model import ReadModel
from projections.queries.people import ACCOUNTS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint, DocumentStore
from projections.writes import Document
from read_api.services import Queries, queries_over
from streams.projecting import decode, project

_CHUNK = 500


class PastStore:
    """A store that holds one project's past; people are asked of the present, so that an erased one stays erased."""

    def __init__(self, past: SQLiteDocumentStore, present: DocumentStore) -> None:
        """Read documents from *past* and people from *present*."""
        self._past = past
        self._present = present

    def __getattr__(self, name: str) -> Any:
        """Read everything else from the past."""
        return getattr(self._past, name)

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        return (self._present if collection == ACCOUNTS else self._past).get(collection, id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        return (self._present if collection == ACCOUNTS else self._past).get_many(collection, ids)


def past_of(
    log: EventLog, present: DocumentStore, models: Sequence[ReadModel], project_id: str, sequence: int
) -> Queries:
    """Return queries over the project's history up to *sequence*; raises LogUnavailableError."""
    store = SQLiteDocumentStore(None)
    store.prepare(models)
    after = 0
    while True:
        records = log.read(after, _CHUNK, Selection(home=project_id))
        batch = decode(log, [record for record in records if record.sequence <= sequence])
        checkpoints: Mapping[str, Checkpoint] = store.checkpoints()
        if batch:
            upto = batch[-1].record.sequence
            changes: list[Change] = [project(model, batch, checkpoints[model.name], upto) for model in models]
            store.apply(changes)
        if len(records) < _CHUNK or records[-1].sequence >= sequence:
            return queries_over(PastStore(store, present))  # type: ignore[arg-type] # the rest is delegated
        after = records[-1].sequence
