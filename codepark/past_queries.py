"""Read models of one project as they were at an earlier position."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands.log import Selection
from commands.partitions import Logs
from projections.model import ReadModel
from projections.models.accounts import ACCOUNTS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint, DocumentStore
from projections.writes import Document
from read_api.query_services import Queries, queries_over
from streams.batch_projection import decode, project

_CHUNK = 500


class PastStore(SQLiteDocumentStore):
    """One project's past, in memory; people are asked of the present, so that an erased one stays erased."""

    def __init__(self, present: DocumentStore) -> None:
        """Ask *present* about people."""
        super().__init__(None)
        self._present = present

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        return self._present.get(collection, id) if collection == ACCOUNTS else super().get(collection, id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        if collection == ACCOUNTS:
            return self._present.get_many(collection, ids)
        return super().get_many(collection, ids)


def past_of(
    logs: Logs[Any], present: DocumentStore, models: Sequence[ReadModel], project_id: str, sequence: int
) -> Queries:
    """Return queries over the project's history up to *sequence* of its partition; raises LogUnavailableError."""
    log, store = logs.of(project_id), PastStore(present)
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
            return queries_over(store)
        after = records[-1].sequence
