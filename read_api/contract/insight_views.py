"""The structs of answers about insights."""

from msgspec import UNSET, UnsetType

from insights.report import LeftOut
from read_api.contract.views import View


class SuggestionView(View):
    """A suggestion: what to change, and why."""

    id: str
    file: str
    function: str | None
    line: int
    kind: str
    reason: str
    model: str
    status: str | UnsetType = UNSET


class LeftOutFile(View):
    """A file that is not measured, and why."""

    file: str
    reason: LeftOut


class InsightsView(View):
    """The insights of a project.

    Vendored, minified and generated files, lock files, and files that the analyser cannot take are left out
    of everything but *files* and *lines*: *filesLeftOut* counts them, *leftOut* has the first 50. With
    *insightsPending*, newer insights than those shown are being made.
    """

    project_id: str
    complexity: float
    functions: int
    files: int
    lines: int
    suggestions: list[SuggestionView]
    models: list[str]
    files_left_out: int
    left_out: list[LeftOutFile]
    insights_pending: bool
