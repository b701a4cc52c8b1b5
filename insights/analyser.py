"""Analyse many files in a child process, which leaves this one's interpreter lock alone."""

from threading import Lock
from typing import Final, Protocol

import structlog

from insights.child import Child, ChildCrashedError, ChildSlowError
from insights.other_peoples_code import left_out_at_once
from insights.report import LeftOut, empty_report
from insights.request import Analysis

SECONDS: Final = 1.0
"""The processor time that one file may take."""

_ATTEMPTS: Final = 2

logger = structlog.get_logger(__name__)


class AnalyserUnavailableError(Exception):
    """The analyser is closed, or its process cannot be started."""


class Analyser(Protocol):
    """Measure files."""

    def analyse(self, path: str, content: str) -> Analysis:
        """Return the report of one file and the processor time it took; raises AnalyserUnavailableError."""
        ...


class ProcessAnalyser:
    """Measure files in one child process, started when first needed and replaced when it fails.

    A file that takes longer than *seconds*, or that ends two children, gets an empty report that says so. The
    child ends with this process, however that ends. Thread safe: threads take turns, file by file.
    """

    def __init__(self, *, seconds: float = SECONDS) -> None:
        """Allow each file *seconds* of processor time."""
        self._seconds = seconds
        self._lock = Lock()
        self._child: Child | None = None
        self._closed = False
        self._described = False

    def analyse(self, path: str, content: str) -> Analysis:
        """Return the report of one file and the processor time it took; raises AnalyserUnavailableError."""
        if (reason := left_out_at_once(path, content)) is not None:
            return Analysis(empty_report(content, reason), 0.0)
        with self._lock:
            for _ in range(_ATTEMPTS):
                child = self._living()
                try:
                    return child.analyse(path, content)
                except ChildSlowError:
                    self._discard()
                    return self._given_up(Analysis(empty_report(content, LeftOut.TOO_SLOW), self._seconds))
                except ChildCrashedError:
                    # Something else may have ended it: the file gets one more try.
                    self._discard()
                except BaseException:
                    # Interrupted between question and answer: the next file must not get this one's report.
                    self._discard()
                    raise
            return self._given_up(Analysis(empty_report(content, LeftOut.FAILED), self._seconds))

    def missing(self) -> tuple[str, ...]:
        """Start the child if it does not run; return the limits that the platform does not let it set.

        Raises AnalyserUnavailableError.
        """
        with self._lock:
            return self._living().missing

    def close(self) -> None:
        """End the child, also in the middle of a file; later calls are refused."""
        self._closed = True
        # Outside the lock: the thread that holds it sees the child end, and does not keep this one waiting.
        if (child := self._child) is not None:
            child.kill()
        with self._lock:
            self._discard()

    def _given_up(self, analysis: Analysis) -> Analysis:
        """Return the analysis of a file that ended its child, unless `close` has ended it."""
        if self._closed:
            raise AnalyserUnavailableError("the analyser is closed")
        return analysis

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
            self._describe(self._child)
        return self._child

    def _describe(self, child: Child) -> None:
        """Log once how far the child is locked in on this platform."""
        if not self._described:
            self._described = True
            if child.missing:
                logger.warning("analyser started", locked_in=False, missing=list(child.missing))
            else:
                logger.info("analyser started", locked_in=True)

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()
