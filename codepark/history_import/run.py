"""Import a history: commands in batches, and a summary of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from codepark.history_import.commands import CommitPart, parts_of
from codepark.history_import.continuation import ChangedHistoryError, continuation_of, difference_name
from codepark.history_import.sinks import Project, Sink
from codepark.history_import.source import (
    BEGINNING,
    CommitName,
    Continuation,
    FileMark,
    HistorySource,
    ImportFailedError,
    SourceChange,
    SourceCommit,
)
from domain.file.paths import path_fault
from domain.project.events import Visibility

_BATCH_COMMANDS = 100
_BATCH_BYTES = 4 * 1024 * 1024

Advance = Callable[[int], None]


class Imported(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of an import: its project, and how many commits and final files the history has.

    *skipped* counts the files that the history ends with and whose paths the contract refuses.
    """

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
    chosen: bool = False,
    force: bool = False,
    advanced: Advance = lambda _: None,
) -> Imported:
    """Record every commit of *source* in the project called *name*, which the caller may have *chosen*.

    What is recorded already is not recorded again: an import that was interrupted is run again. With *force*,
    a difference that no commit explains is recorded as one commit. *advanced* gets the number of commits that
    each step recorded. Raises HistoryError, and ImportFailedError where the project would not have the files
    of the history.
    """
    outline = source.outline()
    project = sink.project(name, Visibility.PUBLIC if public else Visibility.PRIVATE)
    run = _Run(source, sink, project, advanced)
    if project.new:
        run.record(BEGINNING)
        return run.imported(len(outline), len(run.tally.files), len(run.tally.refused))
    recorded = sink.commits(project.id)
    run.last = recorded[-1].sha if recorded else None
    continuation = _continuation(run, name, outline, recorded, chosen=chosen, force=force)
    if continuation is not None:
        advanced(len(outline) - sum(commit.sha not in continuation.recorded for commit in outline))
        run.record(continuation)
    files = source.files()
    sent = {path: mark for path, mark in files.items() if path_fault(path) is None}
    surplus, differing = run.difference(sent)
    if _begins_after(recorded, outline):
        surplus = {path for path in surplus if source.covers(path)}
    if continuation is None or surplus or differing:
        _settle(run, name, surplus, differing, outline, force=force)
    return run.imported(len(outline), len(sent), len(files) - len(sent))


def _continuation(
    run: "_Run",
    name: str,
    outline: Sequence[CommitName],
    recorded: Sequence[CommitName],
    *,
    chosen: bool,
    force: bool,
) -> Continuation | None:
    """Return where the import continues, None where it is forced to record a difference alone."""
    try:
        run.check_empty(recorded)
        return continuation_of(outline, recorded)
    except ChangedHistoryError as error:
        if force and outline and (error.related or chosen):
            return None if recorded else BEGINNING
        raise ImportFailedError(_refusal(name, error)) from error


def _refusal(name: str, error: ChangedHistoryError) -> str:
    if error.related:
        return (
            f"the project {name} {error}: --force records the difference to the files of the history as one "
            "commit, --project NAME imports it into another project"
        )
    return (
        f"the project {name} {error}: import into another one with --project NAME, or replace its files with "
        f"--project {name} --force"
    )


def _begins_after(recorded: Sequence[CommitName], outline: Sequence[CommitName]) -> bool:
    """Return whether the history has only commits that follow those of the project, as a file may."""
    known, own = {name.sha for name in recorded}, {name.sha for name in outline}
    return bool(outline) and any(parent in known - own for parent in outline[0].parents)


def _settle(
    run: "_Run",
    name: str,
    surplus: set[str],
    differing: set[str],
    outline: Sequence[CommitName],
    *,
    force: bool,
) -> None:
    """Record, or refuse, how the project's files differ from those of the history."""
    if not force or not outline:
        first, *more = sorted(surplus | differing)
        others = f" and {len(more)} more" if more else ""
        raise ImportFailedError(
            f"the project {name} has other files than the history ({first}{others}), because somebody else "
            "has written to it: --force records the difference as one commit"
        )
    run.record_difference(surplus, differing, outline[-1].sha)


class _Run:
    """One import: its project, what it has recorded, and the position after that."""

    def __init__(self, source: HistorySource, sink: Sink, project: Project, advanced: Advance) -> None:
        self.tally = _Tally()
        self.last: str | None = None
        self._source = source
        self._sink = sink
        self._project = project
        self._advanced = advanced
        self._position: str | None = None

    def record(self, continuation: Continuation) -> None:
        """Record the commits that are missing."""
        for batch in _batches(self.tally.watch(self._source.commits(continuation))):
            self._send(batch)
            self._advanced(sum(part.input.complete for part in batch))

    def record_difference(self, surplus: set[str], differing: set[str], head: str) -> None:
        """Record as one commit what leads to the files of the history's last commit, *head*."""
        name = difference_name(self.last, head)
        deleted = (SourceChange(path=path, status="D", content=None) for path in sorted(surplus))
        commit = replace(
            self._source.last(),
            sha=name.sha,
            parents=name.parents,
            message=f"Take over the files of {head}\n\nThe history that was imported before has changed.",
            changes=_joined(deleted, self._source.contents(differing)),
        )
        for batch in _batches(iter((commit,))):
            self._send(batch)

    def check_empty(self, recorded: Sequence[CommitName]) -> None:
        """Refuse a project that has files, and no commits that an import may have recorded."""
        if not recorded and next(self._sink.files(self._project.id, self._now()), None) is not None:
            raise ChangedHistoryError("has files that no import has recorded", related=False)

    def difference(self, wanted: Mapping[str, FileMark]) -> tuple[set[str], set[str]]:
        """Return the paths that only the project has, and those of *wanted* that differ or are missing."""
        surplus, differing = set[str](), set(wanted)
        for file in self._sink.files(self._project.id, self._now()):
            mark = wanted.get(file.path)
            if mark is None:
                surplus.add(file.path)
            elif file.has(mark):
                differing.discard(file.path)
        return surplus, differing

    def imported(self, commits: int, files: int, skipped: int) -> Imported:
        """Return the summary."""
        position = self._position if self._project.new else self._now()
        return Imported(
            project_id=self._project.id, commits=commits, files=files, position=position, skipped=skipped
        )

    def _now(self) -> str:
        if self._position is None:
            self._position = self._sink.position(self._project.id)
        return self._position

    def _send(self, batch: list[CommitPart]) -> None:
        self._position = self._sink.record(self._project.id, [part.input for part in batch])
        self.last = batch[-1].input.sha


class _Tally:
    """Notes the files that the commits lead to, and those whose paths are refused."""

    def __init__(self) -> None:
        self.files = set[str]()
        self.refused = set[str]()

    def watch(self, commits: Iterator[SourceCommit]) -> Iterator[SourceCommit]:
        for commit in commits:
            yield replace(commit, changes=self._note(commit))

    def _note(self, commit: SourceCommit) -> Iterator[SourceChange]:
        for change in commit.changes:
            paths = self.files if path_fault(change.path) is None else self.refused
            if change.status == "D":
                paths.discard(change.path)
            else:
                paths.add(change.path)
            yield change


def _joined(first: Iterator[SourceChange], second: Iterator[SourceChange]) -> Iterator[SourceChange]:
    yield from first
    yield from second


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
