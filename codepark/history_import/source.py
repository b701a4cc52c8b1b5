"""A history to import: commits, oldest first, each with the files that it changed."""

from collections.abc import Iterator
from typing import Final, Literal, Protocol

from msgspec import Struct

from domain.limits import FILE_SIZE

Status = Literal["A", "M", "D", "T"]

ACCEPTED: Final = "a git repository (its directory, bare or not) or a .jsonl, .jsonl.gz or .jsonl.xz file"


class HistoryError(Exception):
    """The history cannot be read; the message says where and what to change."""


class ImportFailedError(Exception):
    """The import cannot continue; started again, it continues where it stopped."""


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
    """

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str | None
    authored_at: str
    message: str
    changes: tuple[SourceChange, ...]


class HistorySource(Protocol):
    """A history that can be read several times, in the same order each time."""

    @property
    def name(self) -> str:
        """Return what the history calls itself, for a project's name."""
        ...

    def count(self) -> int:
        """Return how many commits there are; raise HistoryError where that cannot be read."""
        ...

    def commits(self) -> Iterator[SourceCommit]:
        """Yield the commits, oldest first; raise HistoryError at what cannot be read."""
        ...

    def close(self) -> None:
        """Release the files that are held open."""
        ...


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


def in_order(changes: list[SourceChange]) -> tuple[SourceChange, ...]:
    """Return *changes* with the deletions first, else by path."""
    return tuple(sorted(changes, key=lambda change: (change.status != "D", change.path)))
