"""Queries over one project as it was at an earlier position, at the same cost however long its history is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codepark.past.documents import PastSource, sources
from codepark.past.indexer import Indexer
from codepark.past.insights import PastInsights
from codepark.past.keeper import Keeper
from codepark.past.moment import Moment
from codepark.routed_store import RoutedStore
from commands.partitions import Logs
from projections.insights_model import INSIGHTS
from projections.model import ReadModel
from projections.models.accounts import ACCOUNTS
from projections.models.projects import PROJECTS
from projections.past.index import PastIndex
from projections.progress import Progress
from projections.store import DocumentStore
from projections.waiting_files import FILE_INSIGHTS
from read_api.past_answers import Work
from read_api.query_services import Queries, queries_over


class PastQueries:
    """Reads the past of projects from the log's streams, an index of it, and the present read models."""

    def __init__(
        self,
        logs: Logs[Any],
        present: DocumentStore,
        models: Sequence[ReadModel],
        progress: Progress,
        path: Path,
    ) -> None:
        """Keep the index at *path*; insights are measured as *models* measure them."""
        self._logs = logs
        self._present = present
        self._insights = next(model for model in models if model.name == INSIGHTS)
        self._progress = progress
        self._index = PastIndex(path)
        self._indexer = Indexer(logs, self._index)
        self._keeper = Keeper(logs, self._indexer)

    def queries(self, project_id: str, sequence: int, work: Work) -> Queries:
        """Return queries over a project as it was at *sequence* of its partition; they raise WorkEndedError.

        People are those of the present, so that an erased one stays erased.
        """
        moment = Moment(
            self._logs.of(project_id), self._indexer_of(project_id), self._present, project_id, sequence, work
        )
        by_collection = {
            **sources(moment),
            FILE_INSIGHTS: PastInsights(moment, self._insights, self._progress),
            ACCOUNTS: self._present,
        }
        store = RoutedStore(self._present, by_collection, default=PastSource(moment))
        return queries_over(store, None, lambda ids: set(ids) if work.insights_pending else set())

    def authored_by(self, project_id: str, time: int, work: Work) -> int | None:
        """Return the last event of the last commit that, with all before it, was authored by *time*."""
        indexer = self._indexer_of(project_id)
        indexer.bring(project_id, self._logs.of(project_id).tip().sequence, work)
        return indexer.index.authored_by(project_id, time)

    def close(self) -> None:
        """Stop keeping the index, and close it."""
        self._keeper.close()
        self._index.close()

    def _indexer_of(self, project_id: str) -> Indexer:
        """Return what indexes a project; of a deleted one, which auditors may see, nothing is kept."""
        if self._present.get(PROJECTS, project_id) is None:
            return Indexer(self._logs, PastIndex(None))
        return self._indexer
