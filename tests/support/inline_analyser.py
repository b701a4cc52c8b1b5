"""An analyser in this process: deterministic, and without a bound on the time that a file takes."""

from insights.complexity import analyse
from insights.request import Analysis


class InlineAnalyser:
    """Measure files in this process; they cost nothing, so that no owner ever uses up a turn."""

    def analyse(self, path: str, content: str) -> Analysis:
        return Analysis(analyse(path, content), 0.0)
