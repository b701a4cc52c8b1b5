"""The insights of a moment: the present ones, with the files that changed since as they were then."""

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from codepark.past.documents import PastSource
from codepark.past.moment import Moment
from domain.file.events import FileWritten
from domain.identifiers import file_stream
from domain.record import Record
from projections.insights_model import INSIGHTS
from projections.model import ReadModel
from projections.progress import Progress
from projections.store import Above, Equals, Query
from projections.waiting_files import FILE_INSIGHTS, waiting_id
from projections.writes import Document, Put

_MOST_CHANGED = 200
_MOST_KNOWN = 1_000
_MOST_BYTES = 4 * 1024 * 1024


class PastInsights(PastSource):
    """The measurements of files. Where a moment needs too many new ones, they are those that are known."""

    def __init__(self, moment: Moment, model: ReadModel, progress: Progress) -> None:
        """Measure as *model* does; *progress* says how far the present measurements are."""
        super().__init__(moment)
        self._model = model
        self._progress = progress

    def totals_by(
        self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return the sums over the files of the project."""
        if self._changed is None:
            nothing = dict.fromkeys(("count", *fields), 0.0)
            sums = {value: dict(nothing) for value in values}
            _add(sums[self._moment.project_id], self._known, fields)
            return sums
        sums = {
            value: dict(totals)
            for value, totals in self._moment.present.totals_by(collection, field, values, fields).items()
        }
        changed = [*self._changed, *(waiting_id(id_) for id_ in self._changed)]
        replaced = self._moment.present.get_many(FILE_INSIGHTS, changed)
        _add(sums[self._moment.project_id], replaced.values(), fields, sign=-1)
        _add(sums[self._moment.project_id], self._measured, fields)
        return sums

    def find(self, query: Query) -> list[Document]:
        """Return the worst files of the project, or those that were left out."""

        def place(document: Document) -> tuple[Any, str]:
            return document[query.sort], document["id"]

        documents = [document for document in self._found(query) if _meets(document, query)]
        return sorted(documents, key=place, reverse=query.descending)[: query.limit]

    def _found(self, query: Query) -> list[Document]:
        """Return documents with all those that *query* is about among them."""
        if self._changed is None:
            return self._known
        more = msgspec.structs.replace(query, limit=query.limit + len(self._changed))
        now = self._moment.present.find(more)
        return [*(each for each in now if each["id"] not in self._changed), *self._measured]

    @cached_property
    def _changed(self) -> dict[str, str] | None:
        """Return the paths that changed since by document id, None where they are too many."""
        moment = self._moment
        project_id, index = moment.project_id, moment.index
        measured = self._progress.sequence(INSIGHTS, moment.log.number)
        if measured < index.last_change(project_id, moment.sequence):
            moment.work.insights_pending = True
        moment.bring(moment.log.tip().sequence)  # every change that the present measurements may include
        paths = index.changed_after(project_id, moment.sequence, _MOST_CHANGED + 1)
        if len(paths) > _MOST_CHANGED:
            moment.work.insights_pending = True
            return None
        return {f"{project_id}/{path}": path for path in paths}

    @cached_property
    def _known(self) -> list[Document]:
        """Return the present measurements of those files, among the first, that have not changed since."""
        moment = self._moment
        versions = {f"{moment.project_id}/{file.path}": file.version for file in moment.files(_MOST_KNOWN)}
        documents = moment.present.get_many(FILE_INSIGHTS, list(versions)).values()
        return [document for document in documents if document["version"] == versions[document["id"]]]

    @cached_property
    def _measured(self) -> list[Document]:
        """Return the measurements of the changed files as they were, as far as there is time for them."""
        documents: list[Document] = []
        started, size = time.monotonic(), 0
        for path in (self._changed or {}).values():
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
        """Measure one file now: the turns of its owner are those of the present."""
        writes = self._model.project(self._moment.log.event(record), record)
        return [each.document for each in writes if isinstance(each, Put) and "projectId" in each.document]


def _add(
    sums: dict[str, float], documents: Iterable[Document], fields: Sequence[str], *, sign: int = 1
) -> None:
    """Add the number of *documents* and their *fields* to *sums*, or with *sign* -1 take them away."""
    for document in documents:
        sums["count"] += sign
        for field in fields:
            sums[field] += sign * document.get(field, 0)


def _meets(document: Document, query: Query) -> bool:
    """Return whether *document* meets the conditions of a query about one project's measurements."""
    for condition in query.where:
        value = document.get(condition.field) if isinstance(condition, Equals | Above) else None
        if isinstance(condition, Equals) and value != condition.value:
            return False
        if isinstance(condition, Above) and (value is None or value <= condition.value):
            return False
    return True
