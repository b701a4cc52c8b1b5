"""The commands of files."""

from domain.command import Command
from domain.file.content import weight_of
from domain.file.events import Encoding
from domain.policy import ProjectRole, member


class WriteFile(Command, tag="file.write", rule=member(ProjectRole.EDITOR)):
    """Set the content of the file at *path*."""

    project_id: str
    path: str
    content: str | None
    encoding: Encoding | None

    @property
    def weight(self) -> int:
        """Return what the content counts: a large one takes as long as many small commands."""
        return weight_of(self.content)


class DeleteFile(Command, tag="file.delete", rule=member(ProjectRole.EDITOR)):
    """Delete the file at *path*."""

    project_id: str
    path: str


FileCommand = WriteFile | DeleteFile
