"""The insights of a moment: the present ones, with the files that changed since as they were then."""

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from codepark.past.documents import PastSource
from codepark.past.moment import Moment
from domain.file.events import FileWritten
from domain.identifiers import file_stream
from domain.record import Record
from projections.insights_model import FILE_INSIGHTS, INSIGHTS
from projections.model import ReadModel
from projections.progress import Progress
from projections.store import Query
from projections.writes import Document, Put

_MOST_CHANGED = 200
_MOST_BYTES = 4 * 1024 * 1024


class PastInsights(PastSource):
    """The measurements of files. Where a moment needs too many of them, they are those that are known."""

    def __init__(self, moment: Moment, model: ReadModel, progress: Progress) -> None:
        """Measure as *model* does; *progress* says how far the present measurements are."""
        super().__init__(moment)
        self._model = model
        self._progress = progress

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return the sums over the files of the project."""
        totals = dict(self._moment.present.totals_by(collection, field, values, fields))
        of_project = totals[self._moment.project_id]
        return {**totals, self._moment.project_id: self._corrected(of_project, fields)}

    def find(self, query: Query) -> list[Document]:
        """Return the worst files of the project."""
        more = query.limit + len(self._changed)
        now = self._moment.present.find(msgspec.structs.replace(query, limit=more))
        kept = [document for document in now if document["id"] not in self._changed]
        then = [document for document in self._measured if document["worst"] > -1]
        order = sorted(
            [*kept, *then], key=lambda document: (document[query.sort], document["id"]), reverse=True
        )
        return order[: query.limit]

    def _corrected(self, totals: Mapping[str, float], fields: Sequence[str]) -> dict[str, float]:
        sums = dict(totals)
        replaced = self._moment.present.get_many(FILE_INSIGHTS, list(self._changed))
        for sign, documents in ((-1, replaced.values()), (1, self._measured)):
            for document in documents:
                sums["count"] += sign
                for field in fields:
                    sums[field] += sign * document[field]
        return sums

    @cached_property
    def _changed(self) -> dict[str, str]:
        """Return the paths that changed since by document id, none where they are too many."""
        moment = self._moment
        project_id, index = moment.project_id, moment.index
        measured = self._progress.sequence(INSIGHTS, moment.log.number)
        if measured < index.last_change(project_id, moment.sequence):
            moment.work.insights_pending = True
        self._bring_to_the_present()
        paths = index.changed_after(project_id, moment.sequence, _MOST_CHANGED + 1)
        if len(paths) > _MOST_CHANGED:
            moment.work.insights_pending = True
            return {}
        return {f"{project_id}/{path}": path for path in paths}

    @cached_property
    def _measured(self) -> list[Document]:
        """Return the measurements of the changed files as they were, as far as there is time for them."""
        documents: list[Document] = []
        started, size = time.monotonic(), 0
        for path in self._changed.values():
            record = self._moment.last_record(file_stream(self._moment.project_id, path))
            if record is None or record.topic != FileWritten.TOPIC:
                continue
            size += len(record.data)
            if size > _MOST_BYTES or time.monotonic() - started > self._moment.work.insight_seconds:
                self._moment.work.insights_pending = True
                break
            documents += self._measure(record)
        return documents

    def _measure(self, record: Record) -> list[Document]:
        """Measure one file."""
        event: Any = self._moment.log.event(record)
        if self._model.prepare is not None:
            self._model.prepare([(event, record)])
        return [write.document for write in self._model.project(event, record) if isinstance(write, Put)]

    def _bring_to_the_present(self) -> None:
        """Let the index include every change that the present measurements may include."""
        self._moment.bring(self._moment.log.tip().sequence)
