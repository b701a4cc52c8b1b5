"""Queries over one project as it was at an earlier position."""

from collections.abc import Sequence
from typing import Any

from codepark.past_access import PastProjects
from codepark.routed_store import RoutedStore
from commands.log import Selection
from commands.partitions import Logs
from projections.model import ReadModel
from projections.models.accounts import ACCOUNTS
from projections.models.projects import PROJECTS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import DocumentStore
from read_api.query_services import Queries, queries_over
from streams.batch_projection import decode, project

_CHUNK = 500


def queries_of_the_past(
    logs: Logs[Any], present: DocumentStore, models: Sequence[ReadModel], project_id: str, sequence: int
) -> Queries:
    """Return queries over a project as it was at *sequence* of its partition; raises LogUnavailableError.

    The documents are built in memory. People are those of the *present* store, so that an erased one stays
    erased; its projects decide who may see the past.
    """
    log = logs.of(project_id)
    own = SQLiteDocumentStore(None)
    store = RoutedStore(own, {ACCOUNTS: present, PROJECTS: PastProjects(own, present)})
    store.prepare(models)
    after = 0
    while True:
        records = log.read(after, _CHUNK, Selection(home=project_id))
        batch = decode(log, [record for record in records if record.sequence <= sequence])
        if batch:
            checkpoints, through = store.checkpoints(), batch[-1].record.sequence
            store.apply([project(model, batch, checkpoints[model.name], through) for model in models])
        if len(records) < _CHUNK or records[-1].sequence >= sequence:
            return queries_over(store)
        after = records[-1].sequence
