"""The command that records a commit of a project and its changes of files."""

import hashlib
from collections.abc import Iterator
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from commands.table.fields import EmailText, Input, Message, Name, Path, Sha, Time
from commands.table.handler import Handler, project_home
from commands.table.row import BuildContext, ClientCommandRow
from commands.unit_of_work import UnitOfWork
from domain.commit import decider
from domain.commit.commands import Change, RecordCommit
from domain.commit.events import ChangeStatus
from domain.errors import InvalidError
from domain.file.decider import apply_change
from domain.file.events import Encoding
from domain.identifiers import commits_stream, file_stream, project_stream
from domain.limits import COMMIT_CHANGES, PARENTS

_SHA_LENGTH = 40


class AuthorInput(Input):
    """The author of a commit."""

    name: Name
    email: EmailText | None = None


class ChangeInput(Input):
    """The change of one path by a commit."""

    path: Path
    status: ChangeStatus
    content: str | None | UnsetType = UNSET
    encoding: Encoding | None = None

    def __post_init__(self) -> None:
        """Let a deletion without content be one with null, which is what retries of older ones repeat."""
        if self.content is UNSET and self.status is ChangeStatus.DELETED:
            force_setattr(self, "content", None)


class CommitInput(Input):
    """A commit or, with *complete* false, a part of a large one; further parts have the same *sha*."""

    message: Message
    author: AuthorInput
    authored_at: Time
    parents: Annotated[tuple[Sha, ...], Meta(max_length=PARENTS)] = ()
    changes: Annotated[tuple[ChangeInput, ...], Meta(max_length=COMMIT_CHANGES)] = ()
    sha: Sha | None = None
    complete: bool = True


def _record(data: CommitInput, context: BuildContext) -> RecordCommit:
    """Build the command; a commit without a sha gets one from its id."""
    author = data.author.email or data.author.name
    return RecordCommit(
        project_id=context.target,
        sha=data.sha or context.new_id.replace("-", "").ljust(_SHA_LENGTH, "0"),
        parents=data.parents,
        message=data.message,
        author_id="author-"
        + context.secrets.keyed_hash("author", f"{context.target}\0{author}\0{context.account}"),
        author_name=data.author.name,
        author_email=data.author.email,
        authored_at=data.authored_at,
        changes=tuple(_changes(data)),
        complete=data.complete,
        fingerprint=context.secrets.keyed_hash("commit", _digest(data)),
    )


def _digest(data: CommitInput) -> str:
    """Return a hash of all that was sent but the commit's own hash."""
    digest = hashlib.blake2b(digest_size=32)
    author = data.author
    texts = [data.message, author.name, author.email, data.authored_at, str(data.complete), *data.parents]
    for change in data.changes:
        content = None if change.content is UNSET else change.content
        texts += [change.path, change.status, change.encoding, content]
    for text in texts:
        encoded = b"" if text is None else text.encode("utf-8", "surrogatepass")
        digest.update(b"%d," % (-1 if text is None else len(encoded)))
        digest.update(encoded)
    return digest.hexdigest()


def _changes(data: CommitInput) -> Iterator[Change]:
    """Yield the changes; only a deletion may leave the content out, for null has a meaning of its own.

    Of a path that is named twice, the decider says so first.
    """
    once = len({change.path for change in data.changes}) == len(data.changes)
    for index, change in enumerate(data.changes):
        if change.content is UNSET and once:
            raise InvalidError(
                "write the content too: a text, or null for content that is not carried",
                pointer=f"/changes/{index}/content",
            )
        content = None if change.content is UNSET else change.content
        yield Change(path=change.path, status=change.status, content=content, encoding=change.encoding)


def _stream(command: RecordCommit) -> str:
    return commits_stream(command.project_id)


def _loads(command: RecordCommit) -> Iterator[str]:
    yield project_stream(command.project_id)
    for path in decider.touched_paths(command):
        yield file_stream(command.project_id, path)


def _run(unit: UnitOfWork, stream: str, command: RecordCommit) -> None:
    """Record the commit, and its changes in the streams of the files."""
    project = unit.load(project_stream(command.project_id))
    events = decider.decide(project, unit.load(stream), command, unit.actor)
    unit.record(stream, events)
    if not events:
        return
    for index, change in enumerate(command.changes):
        target = file_stream(command.project_id, change.path)
        pointer = f"/changes/{index}/content"
        file = unit.load(target)
        unit.record(target, apply_change(file, command.project_id, change, command.sha, pointer=pointer))


_HANDLER = Handler(home=project_home, stream=_stream, run=_run, also_loads=_loads)

ROWS = (ClientCommandRow(RecordCommit, _HANDLER, CommitInput, _record),)
