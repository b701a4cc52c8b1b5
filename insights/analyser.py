"""Analyse many files in a child process, which leaves this one's interpreter lock alone."""

from collections.abc import Sequence
from threading import Lock
from typing import Final, Protocol

from insights.child import Child, ChildCrashedError, ChildSlowError
from insights.report import FileReport, empty_report, too_large

_ATTEMPTS: Final = 2


class AnalyserUnavailableError(Exception):
    """The analyser is closed, or its process cannot be started."""


class Analyser(Protocol):
    """Measure files, given as (path, content)."""

    def analyse_many(self, files: Sequence[tuple[str, str]]) -> list[FileReport]:
        """Return one report for each file, in order; raises AnalyserUnavailableError."""
        ...


class ProcessAnalyser:
    """Measure files in one child process, started when first needed and replaced when it fails.

    A file that takes longer than *seconds*, or that ends two children, gets an empty report. The child ends
    with this process, however that ends. Thread safe: threads take turns, file by file.
    """

    def __init__(self, *, seconds: float = 10.0) -> None:
        """Allow each file *seconds*."""
        self._seconds = seconds
        self._lock = Lock()
        self._child: Child | None = None
        self._closed = False

    def analyse_many(self, files: Sequence[tuple[str, str]]) -> list[FileReport]:
        """Return one report for each file, in order; raises AnalyserUnavailableError."""
        return [self._analyse(path, content) for path, content in files]

    def close(self) -> None:
        """End the child, also in the middle of a file; later calls are refused."""
        self._closed = True
        # Outside the lock: the thread that holds it sees the child end, and does not keep this one waiting.
        if (child := self._child) is not None:
            child.kill()
        with self._lock:
            self._discard()

    def _analyse(self, path: str, content: str) -> FileReport:
        if too_large(content):
            return empty_report(content)
        with self._lock:
            for _ in range(_ATTEMPTS):
                child = self._living()
                try:
                    return child.analyse(path, content)
                except ChildSlowError:
                    self._discard()
                    break
                except ChildCrashedError:
                    # Something else may have ended it: the file gets one more try.
                    self._discard()
                except BaseException:
                    # Interrupted between question and answer: the next file must not get this one's report.
                    self._discard()
                    raise
            if self._closed:
                raise AnalyserUnavailableError("the analyser is closed")
            return empty_report(content)

    def _living(self) -> Child:
        if self._closed:
            raise AnalyserUnavailableError("the analyser is closed")
        if self._child is None:
            try:
                self._child = Child(self._seconds)
                self._child.wait_ready()
            except (ChildCrashedError, ChildSlowError, OSError) as error:
                self._discard()
                raise AnalyserUnavailableError("the analyser's process does not start") from error
        return self._child

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()
