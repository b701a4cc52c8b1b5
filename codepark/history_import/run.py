"""Import a history: commands in batches, and a summary of them."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from codepark.history_import.commands import CommitPart, parts_of, skipped_paths
from codepark.history_import.sinks import Sink
from codepark.history_import.source import HistorySource, SourceCommit
from domain.project.events import Visibility

_BATCH_COMMANDS = 100
_BATCH_BYTES = 4 * 1024 * 1024


class Imported(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of an import: its project, and how many commits and final files the history has."""

    project_id: str
    commits: int
    files: int
    position: str | None
    skipped: int


def import_history(
    source: HistorySource,
    sink: Sink,
    name: str,
    *,
    public: bool = False,
    advanced: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Record every commit of *source* in the project called *name*.

    Recording a commit again changes nothing: an import that was interrupted is run again. *advanced* gets the
    number of commits that each step recorded. Raises HistoryError and ImportFailedError.
    """
    project_id = sink.project(name, Visibility.PUBLIC if public else Visibility.PRIVATE)
    tally = _Tally()
    position = None
    for batch in _batches(tally.watch(source.commits())):
        position = sink.record(project_id, [part.input for part in batch])
        advanced(sum(part.input.complete for part in batch))
    return Imported(
        project_id=project_id,
        commits=tally.commits,
        files=len(tally.files),
        position=position,
        skipped=tally.skipped,
    )


class _Tally:
    """Counts commits, paths that cannot be imported, and the files that the history ends with."""

    def __init__(self) -> None:
        self.commits = 0
        self.skipped = 0
        self.files: set[str] = set()

    def watch(self, commits: Iterator[SourceCommit]) -> Iterator[SourceCommit]:
        for commit in commits:
            self.commits += 1
            refused = set(skipped_paths(commit))
            self.skipped += len(refused)
            for change in commit.changes:
                if change.status == "D":
                    self.files.discard(change.path)
                elif change.path not in refused:
                    self.files.add(change.path)
            yield commit


def _batches(commits: Iterator[SourceCommit]) -> Iterator[list[CommitPart]]:
    batch: list[CommitPart] = []
    size = 0
    for commit in commits:
        for part in parts_of(commit):
            if batch and (size + part.size > _BATCH_BYTES or len(batch) == _BATCH_COMMANDS):
                yield batch
                batch, size = [], 0
            batch.append(part)
            size += part.size
    if batch:
        yield batch
