"""The queue of files that wait to be measured, and the turns in which that happens."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from insights.report import FileReport
from projections.file_reports import Reports
from projections.insight_turns import TURN_SECONDS, Budgets
from projections.model import CatchUp
from projections.store import Above, DocumentStore, Equals, Query, StartsWith
from projections.writes import Delete, Document, Put, Write

FILE_INSIGHTS: Final = "file_insights"

POSITIONS: Final = 2
"""An event has two positions: that of its projection, and that of the measurement that was put off."""

_FILES_AT_ONCE: Final = 20
_OWNERS_AT_ONCE: Final = 100

DocumentOf = Callable[[str, str, int, FileReport], Document]
"""From a project's id, a path, the file's version and its report to the document about the file."""


class WaitingFile(Struct, frozen=True, kw_only=True, rename="camel"):
    """A file whose owner has used up a turn: *version* is the file's, *sequence* that of its event."""

    project_id: str
    path: str
    version: int
    sequence: int
    digest: str
    content: str


def waiting_entry(file: WaitingFile, owner: str, partition: int) -> tuple[Put, Put]:
    """Return the writes that let *file* wait in the queue of its partition; they replace an older version.

    The sums of the project count it as waiting, and nothing else of it. Its content is a document by itself:
    who looks at the queue does not read it.
    """
    document: Document = {
        "id": waiting_id(f"{file.project_id}/{file.path}"),
        "projectId": file.project_id,
        "path": file.path,
        "version": file.version,
        "sequence": file.sequence,
        "digest": file.digest,
        "complexityTotal": 0,
        "functionCount": 0,
        "lines": 0,
        "waiting": 1,
        "owner": owner,
        "queue": partition,
        "turn": f"{owner} {file.sequence:020d}",
    }
    content: Document = {"id": _content_id(document["id"]), "content": file.content}
    return Put(FILE_INSIGHTS, document["id"], document), Put(FILE_INSIGHTS, content["id"], content)


class WaitingFiles:
    """Measure waiting files by turns: one owner at a time, who then waits until the others had theirs."""

    def __init__(self, reports: Reports, budgets: Budgets, document_of: DocumentOf) -> None:
        """Measure through *reports*, within *budgets*."""
        self._reports = reports
        self._budgets = budgets
        self._document_of = document_of
        self._last_owner: dict[int, str] = {}
        self._put_off: set[int] = set()

    def wait(self, file: WaitingFile, owner: str, partition: int) -> tuple[Put, Put]:
        """Return the writes that let *file* wait in the queue of its partition."""
        self._put_off.add(partition)
        return waiting_entry(file, owner, partition)

    def has_put_off(self, partition: int) -> bool:
        """Return whether this process has put a file of *partition* off since its last turn began."""
        return partition in self._put_off

    def take_turn(self, store: DocumentStore, partition: int) -> CatchUp:
        """Return what one turn of the next owner writes; raises StoreUnavailableError."""
        self._put_off.discard(partition)  # before reading: what is put off meanwhile is for the next turn
        owner, waiting = self._next_owner(store, partition)
        if owner is None:
            return CatchUp(waiting=waiting)
        self._last_owner[partition] = owner
        writes: list[tuple[int, Sequence[Write]]] = []
        homes: set[str] = set()
        used = 0.0
        for entry in _entries(store, partition, StartsWith("turn", f"{owner} "), _FILES_AT_ONCE):
            file_writes, seconds = self._measure(store, entry)
            writes.append((entry["sequence"] * POSITIONS + 1, file_writes))
            homes.add(entry["projectId"])
            used += seconds
            if used >= TURN_SECONDS:
                break
        self._budgets.spend(owner, used)
        return CatchUp(writes=writes, homes=frozenset(homes), waiting=True)

    def _next_owner(self, store: DocumentStore, partition: int) -> tuple[str | None, bool]:
        """Return the next owner with a budget, if there is one, and whether any file waits."""
        last, waiting = self._last_owner.get(partition, ""), False
        for start in dict.fromkeys((last, "")):  # behind the last one, then from the beginning
            mark = f"{start}!" if start else ""
            for _ in range(_OWNERS_AT_ONCE):
                first = _entries(store, partition, Above("turn", mark), 1)
                if not first:
                    break
                owner, waiting = str(first[0]["owner"]), True
                if self._budgets.has(owner):
                    return owner, True
                mark = f"{owner}!"
        return None, waiting

    def _measure(self, store: DocumentStore, entry: Document) -> tuple[Sequence[Write], float]:
        """Return the writes that end the wait of a file, and the processor time that it took."""
        project_id, path, version = entry["projectId"], entry["path"], entry["version"]
        content_id = _content_id(entry["id"])
        done = (Delete(FILE_INSIGHTS, entry["id"]), Delete(FILE_INSIGHTS, content_id))
        present = store.get(FILE_INSIGHTS, f"{project_id}/{path}")
        if present is not None and present["version"] >= version:
            return done, 0.0  # a newer version was measured at once
        content = store.get(FILE_INSIGHTS, content_id)
        text = "" if content is None else content["content"]
        report, seconds = self._reports.measure(path, entry["digest"], text)
        document = self._document_of(project_id, path, version, report)
        return (Put(FILE_INSIGHTS, document["id"], document), *done), seconds


def _content_id(entry_id: str) -> str:
    return f"content/{entry_id}"


def _entries(
    store: DocumentStore, partition: int, condition: Above | StartsWith, limit: int
) -> list[Document]:
    where = (Equals("queue", partition), condition)
    return store.find(Query(collection=FILE_INSIGHTS, where=where, sort="turn", limit=limit))


def waiting_id(file_id: str) -> str:
    """Return the id of the entry that waits for the measurement of the file with *file_id*."""
    return f"waiting/{file_id}"
