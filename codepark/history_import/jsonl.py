"""A history in a file: one JSON object a line, one line a commit, plain or compressed."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from codepark.history_import.lines import LONGEST_LINE, UNREADABLE, LongLineError, lines_of
from codepark.history_import.source import (
    BEGINNING,
    CommitName,
    Continuation,
    FileMark,
    HistoryError,
    SourceChange,
    SourceCommit,
    Status,
    in_order,
    kept_text,
    mark_of,
    project_name,
)
from domain.limits import FILE_SIZE

SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".jsonl.xz")

T = TypeVar("T")

_ESCAPE: Final = 6  # bytes of the JSON for one character at most
_NULL: Final = b"null"


class _File(Struct, frozen=True):
    """A changed file; its content stays in the line until it is needed."""

    path: Annotated[str, Meta(min_length=1)]
    status: Status
    content: Raw = Raw(_NULL)


class _Name(Struct, frozen=True):
    sha: Annotated[str, Meta(min_length=1)]
    parents: tuple[str, ...]


class _Record(_Name, frozen=True):
    author_name: str
    authored_at: Annotated[datetime, Meta(tz=True)]
    message: str
    files: list[_File]
    author_email_hash: str | None = None


class JsonlHistory:
    """Read a history line by line; one line and one of its contents are in memory at a time."""

    def __init__(self, path: Path) -> None:
        """Take a file with one of `SUFFIXES`."""
        self._path = path
        self._outline: list[CommitName] | None = None
        self._marks: dict[str, FileMark] | None = None
        self._changed: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Return the file's name without its suffixes."""
        name = self._path.name
        return project_name(name.partition(".jsonl")[0] or name)

    def outline(self) -> list[CommitName]:
        """Return the commits in the file's order; raise HistoryError naming the line that cannot be read."""
        if self._outline is None:
            decoder = msgspec.json.Decoder(_Name)
            names = (self._decoded(decoder, number, line) for number, line in self._lines())
            self._outline = [CommitName(name.sha, name.parents) for name in names]
        return self._outline

    def commits(self, continuation: Continuation = BEGINNING) -> Iterator[SourceCommit]:
        """Yield the commits in the file's order; raise HistoryError naming the line that cannot be read."""
        marks: dict[str, FileMark] = {}
        self._marks, self._changed = None, {}
        for number, record in self._records():
            changes = self._changes(number, record, marks)
            if record.sha in continuation.recorded:
                for _ in changes:
                    pass
            else:
                yield _commit(record, changes)
        self._marks = marks

    def last(self) -> SourceCommit:
        """Return the commit of the last line, without its changes."""
        last = None
        for _, record in self._records():
            last = record
        if last is None:
            raise HistoryError(f"{self._path} has no commit")
        return _commit(last, ())

    def files(self) -> dict[str, FileMark]:
        """Return the files that the changes of all lines lead to."""
        if self._marks is None:
            for commit in self.commits():
                for _ in commit.changes:
                    pass
        return self._marks or {}

    def covers(self, path: str) -> bool:
        """Return whether a line that was read changes the path."""
        return path in self._changed

    def contents(self, paths: AbstractSet[str]) -> Iterator[SourceChange]:
        """Yield the files with these paths, each as the last line that sets it has it."""
        last = {path: number for path, number in self._changed.items() if path in paths}
        lines = set(last.values())
        for number, record in self._records():
            if number in lines:
                for file in record.files:
                    if last.get(file.path) == number and file.status != "D":
                        content = self._content(number, file)
                        yield SourceChange(path=file.path, status="A", content=content)

    def close(self) -> None:
        """Nothing is held: the file is open only while it is read."""

    def _changes(self, number: int, record: _Record, marks: dict[str, FileMark]) -> Iterator[SourceChange]:
        """Yield the changes of a line; note what they lead to in *marks*."""
        for file in in_order(record.files):
            content = None if file.status == "D" else self._content(number, file)
            if file.status == "D":
                marks.pop(file.path, None)
            else:
                marks[file.path] = mark_of(content)
            self._changed[file.path] = number
            yield SourceChange(path=file.path, status=file.status, content=content)

    def _content(self, number: int, file: _File) -> str | None:
        """Return the text of a file; without decoding it where it is certainly larger than is kept."""
        raw = bytes(file.content)
        if len(raw) > FILE_SIZE and len(raw) - (_ESCAPE - 1) * raw.count(b"\\") > FILE_SIZE + len('""'):
            return None
        return kept_text(self._decoded(_CONTENT, number, raw))

    def _records(self) -> Iterator[tuple[int, _Record]]:
        decoder = msgspec.json.Decoder(_Record)
        for number, line in self._lines():
            yield number, self._decoded(decoder, number, line)

    def _decoded(self, decoder: msgspec.json.Decoder[T], number: int, data: bytes) -> T:
        try:
            return decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HistoryError(f"{self._path}, line {number}: {error}") from error

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        number = 0
        try:
            for number, line in enumerate(lines_of(self._path), 1):  # the number is needed after the loop
                if line.strip():
                    yield number, line
        except LongLineError as error:
            raise HistoryError(
                f"{self._path}, line {number + 1} is longer than {LONGEST_LINE // 1024 // 1024} MiB: give "
                "the largest of its files without content"
            ) from error
        except UNREADABLE as error:
            raise HistoryError(f"{self._path} cannot be read after line {number}: {error}") from error


_CONTENT: Final = msgspec.json.Decoder(str | None)


def _commit(record: _Record, changes: Iterator[SourceChange] | tuple[()]) -> SourceCommit:
    return SourceCommit(
        sha=record.sha,
        parents=record.parents,
        author_name=record.author_name,
        author_email=record.author_email_hash or None,
        authored_at=record.authored_at.isoformat(),
        message=record.message,
        changes=changes,
    )
