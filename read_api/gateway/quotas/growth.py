"""How much commands add to what the owner of a project has: at most, and exactly."""

from collections.abc import Mapping

from msgspec import Struct

from domain.command import Command
from domain.commit.commands import Change, RecordCommit
from domain.commit.events import ChangeStatus
from domain.file.commands import DeleteFile, WriteFile
from domain.file.content import measure
from domain.file.events import Encoding
from domain.file.paths import checked_path
from domain.project.commands import CreateProject, DeleteProject, RemoveCollaborator, SetCollaborator
from domain.quotas import NOTHING, Amounts

GROWING: frozenset[type[Command]] = frozenset({CreateProject, WriteFile, RecordCommit, SetCollaborator})
"""The commands that may make an account own more; every other one always passes."""

SHRINKING: frozenset[type[Command]] = frozenset({DeleteProject, DeleteFile, RemoveCollaborator})
"""The commands that make room."""

_LONGEST_CHARACTER = 4


class FileSizes(Struct, frozen=True):
    """What a command leaves of the files that it changes: their sizes by path, None for deleted ones."""

    project_id: str
    sizes: Mapping[str, int | None]


def most_growth(command: Command) -> Amounts:
    """Return how much *command* adds at most, without looking at any file."""
    match command:
        case CreateProject():
            return Amounts(projects=1)
        case WriteFile(content=content, encoding=encoding):
            return Amounts(files=1, bytes=_most_bytes(content, encoding))
        case RecordCommit(changes=changes):
            kept = [change for change in changes if change.status is not ChangeStatus.DELETED]
            size = sum(_most_bytes(change.content, change.encoding) for change in kept)
            return Amounts(files=len(kept), bytes=size)
        case _:
            return NOTHING


def paths_of(command: Command) -> tuple[str, ...]:
    """Return the paths of the files that *command* changes."""
    match command:
        case WriteFile(path=path):
            return (path,)
        case RecordCommit(changes=changes):
            return tuple(change.path for change in changes)
        case _:
            return ()


def sizes_after(command: WriteFile | RecordCommit) -> FileSizes:
    """Return the sizes that *command* gives to files; raises Refusal for a path or content that is none."""
    if isinstance(command, WriteFile):
        size, _ = measure(command.content, command.encoding)
        return FileSizes(command.project_id, {checked_path(command.path): size})
    return FileSizes(command.project_id, {change.path: _size_after(change) for change in command.changes})


def _size_after(change: Change) -> int | None:
    checked_path(change.path)
    if change.status is ChangeStatus.DELETED:
        return None
    return measure(change.content, change.encoding)[0]


def growth_of(after: FileSizes, before: Mapping[str, int]) -> Amounts:
    """Return how much a command adds that leaves the sizes *after*; *before* has those of existing files."""
    files = size = 0
    for path, new in after.sizes.items():
        old = before.get(path)
        files += (new is not None) - (old is not None)
        size += (new or 0) - (old or 0)
    return Amounts(files=files, bytes=size)


def _most_bytes(content: str | None, encoding: Encoding | None) -> int:
    if content is None:
        return 0
    if encoding is Encoding.BASE64 or content.isascii():
        return len(content)
    return _LONGEST_CHARACTER * len(content)
