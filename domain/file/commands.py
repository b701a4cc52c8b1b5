"""What may be asked of files."""

from domain.command import Command
from domain.file.events import Encoding


class WriteFile(Command, tag="file.write"):
    """Set the content of the file at *path*."""

    project_id: str
    path: str
    content: str | None
    encoding: Encoding | None


class DeleteFile(Command, tag="file.delete"):
    """Delete the file at *path*."""

    project_id: str
    path: str


FileCommand = WriteFile | DeleteFile
