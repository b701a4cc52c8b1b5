"""The read model of insights: measurements of file contents, the same for the same log."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from domain.event import Event
from domain.file.events import Encoding, FileDeleted, FileWritten
from domain.record import Record
from insights.analyser import Analyser, AnalyserUnavailableError
from insights.report import FileReport
from insights.suggestions import suggest
from projections.model import Collection, ReadModel
from projections.store import StoreUnavailableError
from projections.writes import Delete, Put, Write

INSIGHTS = "insights"
FILE_INSIGHTS = "file_insights"
_REMEMBERED = 4_096


class Reports:
    """Reports by path and content digest, so that each content is measured once."""

    def __init__(self, analyser: Analyser) -> None:
        """Measure with *analyser*."""
        self._analyser = analyser
        self._reports: OrderedDict[tuple[str, str], FileReport] = OrderedDict()

    def measure(self, events: Iterable[FileWritten]) -> None:
        """Measure the contents that have no report, all at once; raises StoreUnavailableError."""
        missing = {_key(event): event for event in events if _key(event) not in self._reports}
        try:
            reports = self._analyser.analyse_many(
                [(event.path, event.content or "") for event in missing.values()]
            )
        except AnalyserUnavailableError as error:
            raise StoreUnavailableError(str(error)) from error
        for key, report in zip(missing, reports, strict=True):
            self._reports[key] = report
        while len(self._reports) > _REMEMBERED:
            self._reports.popitem(last=False)

    def of(self, event: FileWritten) -> FileReport:
        """Return the report of a written file."""
        if _key(event) not in self._reports:
            self.measure([event])
        return self._reports[_key(event)]


def insights_model(analyser: Analyser) -> ReadModel:
    """Return the read model that measures files with *analyser*."""
    reports = Reports(analyser)

    def prepare(batch: Sequence[tuple[Event, Record]]) -> Sequence[tuple[Event, Record]]:
        """Keep the last event of each file: contents that were replaced in the same batch need no report."""
        last = {record.stream: (event, record) for event, record in batch}
        relevant = sorted(last.values(), key=lambda event_and_record: event_and_record[1].sequence)
        reports.measure(event for event, _ in relevant if isinstance(event, FileWritten) and _readable(event))
        return relevant

    def project(event: Event, record: Record) -> Iterable[Write]:
        if isinstance(event, FileWritten) and _readable(event):
            return (Put(FILE_INSIGHTS, _id(event), _document(event, record, reports.of(event))),)
        if isinstance(event, FileWritten | FileDeleted):
            return (Delete(FILE_INSIGHTS, _id(event)),)
        return ()

    return ReadModel(
        name=INSIGHTS,
        version=1,
        collections=(
            Collection(
                name=FILE_INSIGHTS,
                indexes=(("projectId", "complexityTotal", "functionCount", "lines"), ("projectId", "worst")),
            ),
        ),
        project=project,
        topics=frozenset({FileWritten.TOPIC, FileDeleted.TOPIC}),
        prepare=prepare,
    )


def _document(event: FileWritten, record: Record, report: FileReport) -> dict[str, object]:
    suggestions = suggest(event.path, report)
    return {
        "id": _id(event),
        "projectId": event.project_id,
        "path": event.path,
        "version": record.version,
        "complexityTotal": report.complexity_total,
        "functionCount": report.function_count,
        "lines": report.lines,
        "worst": max((function.complexity for function in report.functions), default=0)
        if suggestions
        else -1,
        "suggestions": [msgspec.to_builtins(suggestion) for suggestion in suggestions],
        "model": report.model,
    }


def _id(event: FileWritten | FileDeleted) -> str:
    return f"{event.project_id}/{event.path}"


def _key(event: FileWritten) -> tuple[str, str]:
    return event.path, event.digest or ""


def _readable(event: FileWritten) -> bool:
    return event.content is not None and event.encoding is Encoding.UTF8
