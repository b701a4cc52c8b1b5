"""The decider of the files of a project."""

from typing import assert_never

from msgspec import Struct

from domain.actor import Actor
from domain.commit.commands import Change
from domain.commit.events import ChangeStatus
from domain.errors import NotFoundError
from domain.file.commands import DeleteFile, FileCommand, WriteFile
from domain.file.content import measure
from domain.file.events import Encoding, FileDeleted, FileEvent, FileWritten
from domain.file.paths import checked_path
from domain.project.access import ProjectAccess, require


class File(Struct, frozen=True, kw_only=True):
    """The state of a file, without its content; *digest* is None where the log does not carry the content."""

    exists: bool
    size: int
    digest: str | None
    encoding: Encoding | None


INITIAL = File(exists=False, size=0, digest=None, encoding=None)


def decide(project: ProjectAccess, file: File, command: FileCommand, actor: Actor) -> tuple[FileEvent, ...]:
    """Return the events that *command* causes, or refuse it."""
    require(project, actor, command.NAME)
    path = checked_path(command.path)
    match command:
        case WriteFile(content=content, encoding=encoding):
            change = Change(path=path, status=ChangeStatus.MODIFIED, content=content, encoding=encoding)
            return _set(file, command.project_id, change, None, "/content")
        case DeleteFile():
            if not file.exists:
                raise NotFoundError("there is no file at this path", code="file_not_found")
            return (FileDeleted(project_id=command.project_id, path=path, commit=None),)
        case _:
            assert_never(command)


def apply_change(
    file: File, project_id: str, change: Change, sha: str, *, pointer: str = "/content"
) -> tuple[FileEvent, ...]:
    """Return the events that *change* of the commit *sha* causes in the file at its path.

    The decider of the commit history has accepted the commit. *pointer* is that of the content in the input.
    """
    match change.status:
        case ChangeStatus.ADDED | ChangeStatus.MODIFIED | ChangeStatus.TYPE_CHANGED:
            return _set(file, project_id, change, sha, pointer)
        case ChangeStatus.DELETED:
            return (FileDeleted(project_id=project_id, path=change.path, commit=sha),) if file.exists else ()
        case _:
            assert_never(change.status)


def evolve(file: File, event: FileEvent) -> File:  # noqa: ARG001 # an event determines the state alone
    """Return the file after *event*."""
    match event:
        case FileWritten():
            return File(exists=True, size=event.size, digest=event.digest, encoding=event.encoding)
        case FileDeleted():
            return INITIAL
        case _:
            assert_never(event)


def _set(
    file: File, project_id: str, change: Change, commit: str | None, pointer: str
) -> tuple[FileEvent, ...]:
    encoding = None if change.content is None else change.encoding or Encoding.UTF8
    size, digest = measure(change.content, encoding, pointer=pointer)
    if file.exists and file.digest == digest and file.encoding is encoding:
        return ()
    written = FileWritten(
        project_id=project_id,
        path=change.path,
        content=change.content,
        encoding=encoding,
        size=size,
        digest=digest,
        commit=commit,
    )
    return (written,)
