"""The read model of insights: measurements of file contents, the same for the same log.

Measuring takes time, so owners take turns. A file whose owner has used up a turn is put off: an entry with
its content waits in a queue, the last measurement stays, and `WaitingFiles` writes the new one later.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from domain.event import Event
from domain.file.events import Encoding, FileDeleted, FileWritten
from domain.record import Record
from insights.analyser import Analyser
from insights.report import FileReport
from insights.suggestions import suggest
from projections.file_reports import Reports
from projections.insight_turns import TURN_SECONDS, Budgets, by_owner, in_turns
from projections.model import Collection, ReadModel
from projections.waiting_files import FILE_INSIGHTS, POSITIONS, WaitingFile, WaitingFiles
from projections.writes import Delete, Document, Put, Write

INSIGHTS = "insights"
_SERVICE = "service:"

PartitionOf = Callable[[str], int]
"""From a home key to its partition."""


def one_partition(_home: str) -> int:
    """Return the partition of every home where there is one."""
    return 0


def insights_model(
    analyser: Analyser, partition_of: PartitionOf = one_partition, budgets: Budgets | None = None
) -> ReadModel:
    """Return the read model that measures files with *analyser*, within the *budgets* of their owners."""
    budgets = Budgets() if budgets is None else budgets
    reports = Reports(analyser)
    waiting = WaitingFiles(reports, budgets, _document)
    projection = _InsightsProjection(reports, partition_of, budgets, waiting)
    return ReadModel(
        name=INSIGHTS,
        version=3,
        collections=(
            Collection(
                name=FILE_INSIGHTS,
                indexes=(("projectId", "complexityTotal", "functionCount", "lines", "leftOut", "waiting"),),
                sparse=(
                    ("projectId", "worst"),
                    ("projectId", "leftOut"),
                    ("projectId", "sequence"),
                    ("queue", "turn"),
                ),
            ),
        ),
        project=projection.project,
        topics=frozenset({FileWritten.TOPIC, FileDeleted.TOPIC}),
        prepare=projection.prepare,
        positions=POSITIONS,
        catch_up=waiting.take_turn,
        has_put_off=waiting.has_put_off,
    )


class _InsightsProjection:
    """Project files from what was measured of them; measure a batch by turns before."""

    def __init__(
        self, reports: Reports, partition_of: PartitionOf, budgets: Budgets, waiting: WaitingFiles
    ) -> None:
        self._reports = reports
        self._partition_of = partition_of
        self._budgets = budgets
        self._waiting = waiting
        self._thread = threading.local()  # a rebuild projects in another thread at the same time

    def prepare(self, batch: Sequence[tuple[Event, Record]]) -> Sequence[tuple[Event, Record]]:
        """Measure by turns; keep the last event of each file, for contents replaced here need no report."""
        last = {record.stream: (event, record) for event, record in batch}
        relevant = sorted(last.values(), key=lambda event_and_record: event_and_record[1].sequence)
        files = [
            (event, record)
            for event, record in relevant
            if isinstance(event, FileWritten) and _is_text(event)
        ]
        put_off = {record.sequence for _, record in files}
        used: dict[str, float] = defaultdict(float)

        def may_continue(owner: str) -> bool:
            return used[owner] < TURN_SECONDS and self._budgets.has(owner)

        for event, record in in_turns(by_owner(files, lambda file: _owner(file[1])), may_continue):
            owner = _owner(record)
            _, seconds = self._reports.measure(event.path, event.digest or "", event.content or "")
            used[owner] += seconds
            self._budgets.spend(owner, seconds)
            put_off.discard(record.sequence)
        self._thread.put_off = put_off
        return relevant

    def project(self, event: Event, record: Record) -> Iterable[Write]:
        """Return the writes of one event; a file that was not prepared is measured now."""
        if isinstance(event, FileWritten) and _is_text(event):
            if record.sequence in getattr(self._thread, "put_off", ()):
                return self._wait(event, record)
            report, _ = self._reports.measure(event.path, event.digest or "", event.content or "")
            document = _document(event.project_id, event.path, record.version, report)
            return (Put(FILE_INSIGHTS, document["id"], document),)
        if isinstance(event, FileWritten | FileDeleted):
            return (Delete(FILE_INSIGHTS, file_id(event.project_id, event.path)),)
        return ()

    def _wait(self, event: FileWritten, record: Record) -> tuple[Put, Put]:
        waiting = WaitingFile(
            project_id=event.project_id,
            path=event.path,
            version=record.version,
            sequence=record.sequence,
            digest=event.digest or "",
            content=event.content or "",
        )
        return self._waiting.wait(waiting, _owner(record), self._partition_of(record.home))


def file_id(project_id: str, path: str) -> str:
    """Return the id of the document about a file."""
    return f"{project_id}/{path}"


def _document(project_id: str, path: str, version: int, report: FileReport) -> Document:
    suggestions = suggest(path, report)
    document: Document = {
        "id": file_id(project_id, path),
        "projectId": project_id,
        "path": path,
        "version": version,
        "complexityTotal": report.complexity_total,
        "functionCount": report.function_count,
        "lines": report.lines,
        "suggestions": [msgspec.to_builtins(suggestion) for suggestion in suggestions],
        "model": report.model,
    }
    # Most files have none of these fields, and are in none of the indexes on them.
    if report.left_out is not None:
        document |= {"leftOut": 1, "reason": report.left_out.value}
    if suggestions:
        document["worst"] = max((function.complexity for function in report.functions), default=0)
    return document


def _owner(record: Record) -> str:
    """Return whose turn a file takes: its writer's, or where a service wrote it, the project's."""
    return record.home if record.actor.startswith(_SERVICE) else record.actor


def _is_text(event: FileWritten) -> bool:
    return event.content is not None and event.encoding is Encoding.UTF8
