"""A history to import: commits, oldest first, each with the files that it changed."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal, Protocol, TypeVar

from msgspec import Struct

from domain.limits import FILE_SIZE, NAME_LENGTH

Status = Literal["A", "M", "D", "T"]
Changed = TypeVar("Changed", bound="_Change")

ACCEPTED: Final = "a git repository (its directory, bare or not) or a .jsonl, .jsonl.gz or .jsonl.xz file"


class HistoryError(Exception):
    """The history cannot be read; the message says where and what to change."""


class ImportFailedError(Exception):
    """The import cannot continue; the message says why, and what to do."""


class SourceChange(Struct, frozen=True, kw_only=True):
    """One changed file: added, modified, deleted, or of another type (file, symbolic link, submodule).

    *content* is the whole new text, of a symbolic link its target; None where the file is deleted, a
    submodule, not text in UTF-8, or larger than the platform keeps.
    """

    path: str
    status: Status
    content: str | None


class SourceCommit(Struct, frozen=True, kw_only=True):
    """One commit; *parents* are those that the history contains, *authored_at* is RFC 3339.

    A rename is a deletion and an addition; deletions come first, so that a file may take a directory's place.
    The contents of *changes* are read while these are iterated, so that one of them is in memory at a time.
    """

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str | None
    authored_at: str
    message: str
    changes: Iterable[SourceChange]


class CommitName(Struct, frozen=True):
    """A commit's hash and those of its parents."""

    sha: str
    parents: tuple[str, ...]


class FileMark(Struct, frozen=True):
    """What a file's content is compared by: its size, and its SHA-256; `(0, None)` without content."""

    size: int
    digest: str | None


class Continuation(Struct, frozen=True, kw_only=True):
    """Where an import continues.

    *recorded* are the commits that the project has already; its files are those of the commit *base*, None
    for no files. With *in_order*, the recorded commits are the first ones of the history.
    """

    recorded: frozenset[str] = frozenset()
    base: str | None = None
    in_order: bool = True


BEGINNING: Final = Continuation()


class HistorySource(Protocol):
    """A history that can be read several times, in the same order each time."""

    @property
    def name(self) -> str:
        """Return what the history calls itself, for a project's name."""
        ...

    def outline(self) -> Sequence[CommitName]:
        """Return the commits, oldest first; raise HistoryError where they cannot be read."""
        ...

    def commits(self, continuation: Continuation = BEGINNING) -> Iterator[SourceCommit]:
        """Yield the commits that are not recorded, oldest first; raise HistoryError at what is unreadable."""
        ...

    def last(self) -> SourceCommit:
        """Return the last commit, without its changes; raise HistoryError where there is none."""
        ...

    def files(self) -> Mapping[str, FileMark]:
        """Return the files that the history ends with, by path."""
        ...

    def covers(self, path: str) -> bool:
        """Return whether the history says what became of *path*: one that begins in the middle may not."""
        ...

    def contents(self, paths: AbstractSet[str]) -> Iterator[SourceChange]:
        """Yield those of the last files that have these paths, as additions."""
        ...

    def close(self) -> None:
        """Release the files that are held open."""
        ...


class _Change(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def status(self) -> Status: ...


def project_name(file_name: str) -> str:
    """Return a project's name for a file or directory, whose name may have any bytes and any length."""
    text = os.fsencode(file_name).decode("utf-8", "replace")
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return shown.strip()[:NAME_LENGTH].strip() or "imported"


def text_of(data: bytes) -> str | None:
    """Return *data* as text, or None where it is binary or too large."""
    if len(data) > FILE_SIZE or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def kept_text(text: str | None) -> str | None:
    """Return *text* where `text_of` would return it for its bytes."""
    if text is None or "\0" in text:
        return None
    # A character has at most four bytes: most texts need not be encoded.
    if len(text) * 4 > FILE_SIZE and len(text.encode()) > FILE_SIZE:
        return None
    return text


def mark_of(text: str | None) -> FileMark:
    """Return the mark of a content."""
    if text is None:
        return FileMark(0, None)
    data = text.encode()
    return FileMark(len(data), hashlib.sha256(data).hexdigest())


def in_order(changes: Iterable[Changed]) -> tuple[Changed, ...]:
    """Return *changes* with the deletions first, else by path."""
    return tuple(sorted(changes, key=lambda change: (change.status != "D", change.path)))
