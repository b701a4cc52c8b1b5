"""From the commits of a history to commands, divided so that each stays within the limits of a request."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from codepark.history_import.source import SourceChange, SourceCommit
from commands.table.commits import AuthorInput, ChangeInput, CommitInput
from domain.commit.events import ChangeStatus
from domain.file.events import Encoding
from domain.file.paths import path_fault
from domain.limits import EMAIL_LENGTH, MESSAGE_LENGTH, NAME_LENGTH, PARENTS

PART_BYTES = 4 * 1024 * 1024
"""A commit with more content is sent as parts, each within a request."""

PART_CHANGES = 2_000
"""A commit with more changes is sent as parts as well: none keeps others waiting for long."""

_LARGEST_TEXT = 8 * 1024 * 1024
"""A text whose JSON is longer, for it consists of escapes, is sent as base64."""

_LARGEST_OFFSET = timedelta(hours=14)
_EPOCH = "1970-01-01T00:00:00+00:00"


class CommitPart(Struct, frozen=True):
    """A commit, or a part of a large one; *size* is about how many bytes of JSON it has."""

    input: CommitInput
    size: int


def parts_of(commit: SourceCommit) -> Iterator[CommitPart]:
    """Yield the commit as one part, or as several whose last one completes it."""
    changes: list[ChangeInput] = []
    size = 0
    for change in commit.changes:
        if path_fault(change.path) is not None:
            continue
        sent, change_size = _sent(change)
        if changes and (size + change_size > PART_BYTES or len(changes) == PART_CHANGES):
            yield _part(commit, changes, size, complete=False)
            changes, size = [], 0
        changes.append(sent)
        size += change_size
    yield _part(commit, changes, size, complete=True)


def _sent(change: SourceChange) -> tuple[ChangeInput, int]:
    """Return a change as it is sent, and about how many bytes of JSON it has."""
    content, encoding = change.content, None
    size = 100 + len(change.path.encode())
    if content is not None:
        encoded = msgspec.json.encode(content)
        if len(encoded) > _LARGEST_TEXT:
            encoded = msgspec.json.encode(content.encode())
            content, encoding = msgspec.json.decode(encoded, type=str), Encoding.BASE64
        size += len(encoded)
    status = ChangeStatus(change.status)
    return ChangeInput(path=change.path, status=status, content=content, encoding=encoding), size


def _part(commit: SourceCommit, changes: list[ChangeInput], size: int, *, complete: bool) -> CommitPart:
    input_ = CommitInput(
        sha=commit.sha,
        message=commit.message[:MESSAGE_LENGTH],
        author=AuthorInput(name=_name(commit.author_name), email=_email(commit.author_email)),
        authored_at=_time(commit.authored_at),
        parents=commit.parents[:PARENTS],
        changes=tuple(changes),
        complete=complete,
    )
    without = msgspec.json.encode(msgspec.structs.replace(input_, changes=()))
    return CommitPart(input_, size + len(without) + 200)


def _name(name: str) -> str:
    """Return an author's name that the contract takes; git itself takes any."""
    clean = "".join(c for c in name if c.isprintable()).strip()[:NAME_LENGTH].strip()
    return clean or "unknown"


def _email(email: str | None) -> str | None:
    return email[:EMAIL_LENGTH] if email else None


def _time(moment: str) -> str:
    """Return an author's time, in UTC where its offset is impossible; the epoch where it is no time."""
    try:
        time = datetime.fromisoformat(moment)
        offset = time.utcoffset()
        if offset is not None and abs(offset) > _LARGEST_OFFSET:
            return time.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return _EPOCH
    return _EPOCH if offset is None else moment
