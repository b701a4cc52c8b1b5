"""The command of commit histories."""

from msgspec import Struct

from domain.command import Command
from domain.commit.events import ChangeStatus
from domain.file.content import weight_of
from domain.file.events import Encoding
from domain.policy import ProjectRole, member


class Change(Struct, frozen=True, kw_only=True):
    """The change of one path by a commit."""

    path: str
    status: ChangeStatus
    content: str | None = None
    encoding: Encoding | None = None


class RecordCommit(Command, tag="commit.record", rule=member(ProjectRole.EDITOR)):
    """Record a commit or, with *complete* false, a part of it; further parts have the same *sha*.

    *fingerprint* is a keyed hash of all that was sent, 32 hex digits.
    """

    project_id: str
    sha: str
    parents: tuple[str, ...]
    message: str
    author_id: str
    author_name: str
    author_email: str | None
    authored_at: str
    changes: tuple[Change, ...]
    complete: bool
    fingerprint: str

    @property
    def weight(self) -> int:
        """Return what its changes count, each as much as the command that writes a file."""
        return 1 + sum(weight_of(change.content) for change in self.changes)
