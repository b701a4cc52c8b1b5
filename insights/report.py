"""What is measured of one file, without the library that measures it."""

from enum import StrEnum
from importlib.metadata import version
from typing import Final

from msgspec import Struct

MODEL: Final = f"lizard-{version('lizard')}"
"""The model that made a report: the library and its version, since another version may count differently."""

ANALYSED_BYTES: Final = 1024 * 1024
"""Larger files get an empty report: they are data or generated, and their cost has no bound."""


class LeftOut(StrEnum):
    """Why a file is not measured: other people's code, a program's output, or too much for the analyser."""

    VENDORED = "vendored"
    MINIFIED = "minified"
    GENERATED = "generated"
    LOCK_FILE = "lockFile"
    TOO_LARGE = "tooLarge"
    TOO_SLOW = "tooSlow"
    FAILED = "failed"


class FunctionReport(Struct, frozen=True, kw_only=True):
    """The measures of one function; *lines* leaves out blank lines and comments."""

    name: str
    line: int
    complexity: int
    lines: int
    parameters: int


class FileReport(Struct, frozen=True, kw_only=True):
    """The measures of one file; *lines* counts every line of its text.

    *left_out* says why a file without functions was not measured; None if it was.
    """

    functions: tuple[FunctionReport, ...]
    lines: int
    model: str
    left_out: LeftOut | None = None

    @property
    def complexity_total(self) -> int:
        """Return the sum of the functions' cyclomatic complexities."""
        return sum(function.complexity for function in self.functions)

    @property
    def function_count(self) -> int:
        """Return how many functions were found."""
        return len(self.functions)


def empty_report(content: str, left_out: LeftOut | None = None) -> FileReport:
    """Return the report of a file in which no functions were found, or which was *left_out*."""
    return FileReport(functions=(), lines=line_count(content), model=MODEL, left_out=left_out)


def line_count(content: str) -> int:
    r"""Count lines as editors do: by `\n`, a last line without one included."""
    return content.count("\n") + (content != "" and not content.endswith("\n"))


def too_large(content: str) -> bool:
    """Return whether *content* is too large to be analysed."""
    # A character has at most four bytes: most files need not be encoded.
    if len(content) * 4 <= ANALYSED_BYTES:
        return False
    return len(content.encode("utf-8", "replace")) > ANALYSED_BYTES
