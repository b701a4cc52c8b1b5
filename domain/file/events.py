"""The events of files."""

from enum import StrEnum

from domain.event import Event


class Encoding(StrEnum):
    """The encoding of a file's content in JSON."""

    UTF8 = "utf-8"
    BASE64 = "base64"


class FileWritten(Event, topic="file.written", version=1):
    """The file got this content; None where the log does not carry it (binary or too large).

    *size* is in bytes of the decoded content; *digest* is its SHA-256 in hex, None without content.
    """

    project_id: str
    path: str
    content: str | None
    encoding: Encoding | None
    size: int
    digest: str | None
    commit: str | None


class FileDeleted(Event, topic="file.deleted", version=1):
    """The file was deleted from the project."""

    project_id: str
    path: str
    commit: str | None


FileEvent = FileWritten | FileDeleted
