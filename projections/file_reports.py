"""The reports of measured contents, and the contents that cannot be measured: none is measured twice."""

import threading
from collections import OrderedDict
from typing import Final

from insights.analyser import Analyser, AnalyserUnavailableError
from insights.other_peoples_code import left_out_at_once
from insights.report import FileReport, LeftOut, empty_report
from projections.store import StoreUnavailableError
from telemetry.instruments import ANALYSER_SECONDS

_FUNCTIONS: Final = 50_000
"""Reports are kept up to so many functions, each of some 300 bytes; a file counts as one more."""

_GIVEN_UP: Final = 20_000
_EXTENSION: Final = 20

Key = tuple[str, str]
"""The part of the path that the language depends on, and the digest of the content."""


class Reports:
    """Reports by language and content; those of contents that took too long or failed are kept longest."""

    def __init__(self, analyser: Analyser) -> None:
        """Measure with *analyser*."""
        self._analyser = analyser
        self._reports: OrderedDict[Key, FileReport] = OrderedDict()
        self._weight = 0
        self._given_up: OrderedDict[Key, FileReport] = OrderedDict()
        self._lock = threading.Lock()

    def measure(self, path: str, digest: str, content: str) -> tuple[FileReport, float]:
        """Return the report of a content and the processor time it took; raises StoreUnavailableError."""
        if (reason := left_out_at_once(path, content)) is not None:
            return empty_report(content, reason), 0.0  # the same content elsewhere may be measured
        key = _key(path, digest)
        known = self._given_up.get(key) or self._reports.get(key)
        if known is not None:
            return known, 0.0
        try:
            analysis = self._analyser.analyse(path, content)
        except AnalyserUnavailableError as error:
            raise StoreUnavailableError(str(error)) from error
        ANALYSER_SECONDS.observe(analysis.seconds)
        with self._lock:
            self._keep(key, analysis.report)
        return analysis.report, analysis.seconds

    def _keep(self, key: Key, report: FileReport) -> None:
        if report.left_out in {LeftOut.TOO_SLOW, LeftOut.FAILED}:
            self._given_up[key] = report
            while len(self._given_up) > _GIVEN_UP:
                self._given_up.popitem(last=False)
            return
        if key in self._reports:
            return  # another thread has measured it meanwhile
        self._reports[key] = report
        self._weight += 1 + report.function_count
        while self._weight > _FUNCTIONS and self._reports:
            _, dropped = self._reports.popitem(last=False)
            self._weight -= 1 + dropped.function_count


def _key(path: str, digest: str) -> Key:
    return path.rpartition(".")[2][-_EXTENSION:], digest
