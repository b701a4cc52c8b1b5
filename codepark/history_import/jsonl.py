"""A history in a file: one JSON object a line, one line a commit, plain or compressed."""

import gzip
import lzma
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec
from msgspec import Meta, Struct

from codepark.history_import.source import (
    HistoryError,
    SourceChange,
    SourceCommit,
    Status,
    in_order,
    kept_text,
)

SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".jsonl.xz")

_CHUNK: Final = 1024 * 1024
_UNREADABLE: Final = (OSError, EOFError, lzma.LZMAError, zlib.error)


class _File(Struct, frozen=True):
    path: Annotated[str, Meta(min_length=1)]
    status: Status
    content: str | None = None


class _Record(Struct, frozen=True):
    sha: Annotated[str, Meta(min_length=1)]
    parents: tuple[str, ...]
    author_name: str
    authored_at: Annotated[datetime, Meta(tz=True)]
    message: str
    files: list[_File]
    author_email_hash: str | None = None


class JsonlHistory:
    """Read a history line by line; its text is never in memory as a whole."""

    def __init__(self, path: Path) -> None:
        """Take a file with one of `SUFFIXES`."""
        self._path = path

    @property
    def name(self) -> str:
        """Return the file's name without its suffixes."""
        return self._path.name.partition(".jsonl")[0] or self._path.name

    def count(self) -> int:
        """Return how many lines hold a commit."""
        return sum(1 for _ in self._lines())

    def commits(self) -> Iterator[SourceCommit]:
        """Yield the commits in the file's order; raise HistoryError naming the line that cannot be read."""
        decoder = msgspec.json.Decoder(_Record)
        for number, line in self._lines():
            try:
                record = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise HistoryError(f"{self._path}, line {number}: {error}") from error
            yield _commit(record)

    def close(self) -> None:
        """Nothing is held: the file is open only while it is read."""

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        number = 0
        try:
            with self._open() as file:
                for number, line in enumerate(file, 1):  # the number is needed after the loop
                    if line.strip():
                        yield number, line
        except _UNREADABLE as error:
            raise HistoryError(f"{self._path} cannot be read after line {number}: {error}") from error

    def _open(self) -> BinaryIO | gzip.GzipFile | lzma.LZMAFile:
        match self._path.suffix:
            case ".gz":
                return gzip.open(self._path)
            case ".xz":
                return lzma.open(self._path)
            case _:
                return self._path.open("rb", buffering=_CHUNK)


def _commit(record: _Record) -> SourceCommit:
    changes = [
        SourceChange(
            path=file.path,
            status=file.status,
            content=None if file.status == "D" else kept_text(file.content),
        )
        for file in record.files
    ]
    return SourceCommit(
        sha=record.sha,
        parents=record.parents,
        author_name=record.author_name,
        author_email=record.author_email_hash or None,
        authored_at=record.authored_at.isoformat(),
        message=record.message,
        changes=in_order(changes),
    )
