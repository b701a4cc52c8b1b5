"""The events of a project's commit history."""

from enum import StrEnum

from msgspec import Struct

from domain.event import Event, Personal
from domain.upcasting import upcaster


class ChangeStatus(StrEnum):
    """How a commit changes a path: it adds, modifies or deletes it, or changes its type."""

    ADDED = "A"
    MODIFIED = "M"
    DELETED = "D"
    TYPE_CHANGED = "T"


class RecordedChange(Struct, frozen=True, kw_only=True):
    """A path that a commit changed; its content is in the file's own stream."""

    path: str
    status: ChangeStatus


class CommitPartRecorded(Event, topic="commit.part_recorded", version=2):
    """A part of a large commit was recorded; the last part completes the commit.

    *fingerprint* is as in `CommitRecorded`, of this part.
    """

    project_id: str
    sha: str
    changes: tuple[RecordedChange, ...]
    fingerprint: str | None


class CommitRecorded(Event, topic="commit.recorded", version=2, subject="author_id"):
    """A commit was recorded as the *number*-th of the project.

    *author_id* names the key of the author's data: it is derived from the author's address within this
    project. *authored_at* is an RFC 3339 time by the clock of the author's machine. *fingerprint* is a keyed
    hash of all that was sent, contents included, of the last part where there are several: by it, a commit
    that is sent again is recognised. Events of version 1 have none.
    """

    project_id: str
    sha: str
    number: int
    parents: tuple[str, ...]
    message: Personal[str]
    author_id: str
    author_name: Personal[str]
    author_email: Personal[str | None]
    authored_at: str
    changes: tuple[RecordedChange, ...]
    fingerprint: str | None


@upcaster("commit.part_recorded", from_version=1)
def _part_without_fingerprint(data: dict[str, object]) -> dict[str, object]:
    return {**data, "fingerprint": None}


@upcaster("commit.recorded", from_version=1)
def _without_fingerprint(data: dict[str, object]) -> dict[str, object]:
    return {**data, "fingerprint": None}


CommitEvent = CommitPartRecorded | CommitRecorded
