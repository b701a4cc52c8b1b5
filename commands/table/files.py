"""Commands on the files of a project."""

from commands.table.fields import Input, Path
from commands.table.handler import Handler, loads_project, project_home, within_project
from commands.table.row import BuildContext, ClientCommandRow
from domain.file import decider
from domain.file.commands import DeleteFile, WriteFile
from domain.file.events import Encoding
from domain.identifiers import file_stream


class FileInput(Input):
    """The content of a file: text, base64 for other data, or null for content that the log does not carry."""

    content: str | None
    encoding: Encoding | None = None


class FileCommand(FileInput, kw_only=True):
    """The content of the file at *path*."""

    path: Path


class FileRemoval(Input):
    """The file to delete."""

    path: Path


def _write(data: FileCommand, context: BuildContext) -> WriteFile:
    return WriteFile(project_id=context.target, path=data.path, content=data.content, encoding=data.encoding)


def _delete(data: FileRemoval, context: BuildContext) -> DeleteFile:
    return DeleteFile(project_id=context.target, path=data.path)


def _stream(command: WriteFile | DeleteFile) -> str:
    return file_stream(command.project_id, command.path)


_HANDLER = Handler(
    home=project_home, stream=_stream, run=within_project(decider.decide), also_loads=loads_project
)

ROWS = (
    ClientCommandRow(WriteFile, _HANDLER, FileCommand, _write),
    ClientCommandRow(DeleteFile, _HANDLER, FileRemoval, _delete),
)
