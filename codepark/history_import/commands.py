"""From the commits of a history to commands, divided so that each stays within the limits of a request."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from codepark.history_import.source import SourceCommit
from commands.table.commits import AuthorInput, ChangeInput, CommitInput
from domain.commit.events import ChangeStatus
from domain.file.paths import path_fault
from domain.limits import EMAIL_LENGTH, MESSAGE_LENGTH, NAME_LENGTH
from domain.times import from_rfc3339, parse_rfc3339, rfc3339

PART_BYTES = 4 * 1024 * 1024
"""A commit with more content is sent as parts, each within a request."""


class CommitPart(Struct, frozen=True):
    """A commit, or a part of a large one; *size* is about how many bytes of JSON it has."""

    input: CommitInput
    size: int


def parts_of(commit: SourceCommit) -> Iterator[CommitPart]:
    """Yield the commit as one part, or as several whose last one completes it."""
    changes: list[ChangeInput] = []
    size = 0
    for change in _usable(commit):
        change_size = _size(change)
        if changes and size + change_size > PART_BYTES:
            yield _part(commit, changes, size, complete=False)
            changes, size = [], 0
        changes.append(change)
        size += change_size
    yield _part(commit, changes, size, complete=True)


def skipped_paths(commit: SourceCommit) -> list[str]:
    """Return the paths of a commit that the contract refuses."""
    return [change.path for change in commit.changes if path_fault(change.path) is not None]


def _usable(commit: SourceCommit) -> Iterator[ChangeInput]:
    for change in commit.changes:
        if path_fault(change.path) is None:
            yield ChangeInput(path=change.path, status=ChangeStatus(change.status), content=change.content)


def _size(change: ChangeInput) -> int:
    """Return about how many bytes of JSON a change has."""
    if change.content is None:
        return 100 + len(change.path)
    return 100 + len(change.path) + len(msgspec.json.encode(change.content))


def _part(commit: SourceCommit, changes: list[ChangeInput], size: int, *, complete: bool) -> CommitPart:
    input_ = CommitInput(
        sha=commit.sha,
        message=commit.message[:MESSAGE_LENGTH],
        author=AuthorInput(name=_name(commit.author_name), email=_email(commit.author_email)),
        authored_at=_time(commit.authored_at),
        parents=commit.parents,
        changes=tuple(changes),
        complete=complete,
    )
    return CommitPart(input_, size + len(commit.message) + 500)


def _name(name: str) -> str:
    """Return an author's name that the contract takes; git itself takes any."""
    clean = "".join(c for c in name if c.isprintable()).strip()[:NAME_LENGTH].strip()
    return clean or "unknown"


def _email(email: str | None) -> str | None:
    return email[:EMAIL_LENGTH] if email else None


def _time(moment: str) -> str:
    """Return an author's time; one with an odd offset is written in UTC, an unreadable one as the epoch."""
    try:
        parse_rfc3339(moment)
    except (ValueError, OverflowError):
        return _in_utc(moment)
    return moment


def _in_utc(moment: str) -> str:
    try:
        return rfc3339(from_rfc3339(moment))
    except (ValueError, OverflowError):
        return "1970-01-01T00:00:00+00:00"
