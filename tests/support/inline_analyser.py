"""An analyser in this process: deterministic, and without a bound on the time that a file takes."""

from collections.abc import Sequence

from insights.complexity import analyse
from insights.report import FileReport


class InlineAnalyser:
    """Measure files in this process."""

    def analyse_many(self, files: Sequence[tuple[str, str]]) -> list[FileReport]:
        return [analyse(path, content) for path, content in files]
