"""The insights of a project."""

from collections.abc import Mapping, Sequence

from domain.actor import Actor
from projections.insights_model import FILE_INSIGHTS
from projections.models.suggestions import SUGGESTIONS
from projections.queries.access import visible_project
from projections.store import Above, DocumentStore, Equals, Query
from projections.writes import Document

_SHOWN = 20
_FILES = 50
_SUMS = ("complexityTotal", "functionCount", "lines")


def no_insights(project_id: str) -> Document:
    """Return the insights of a project without files."""
    return {
        "projectId": project_id,
        "complexity": 0,
        "functions": 0,
        "files": 0,
        "lines": 0,
        "suggestions": [],
        "models": [],
    }


class InsightQueries:
    """Complexity and suggestions of a project's files."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def get(self, project_id: str, actor: Actor) -> Document:
        """Return the insights of a project that *actor* may see; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        return self.of(project_id)

    def of(self, project_id: str) -> Document:
        """Return the insights as data: mean cyclomatic complexity, sizes, the worst suggestions first."""
        return self.many([project_id])[project_id]

    def many(self, project_ids: Sequence[str]) -> dict[str, Document]:
        """Return the insights of each project, as `of` does, with as many requests as for one."""
        totals = self._store.totals_by(FILE_INSIGHTS, "projectId", project_ids, _SUMS)
        worst = self._store.find_many([_worst_files(project_id) for project_id in project_ids])
        suggestions = {
            project_id: [suggestion for file in files for suggestion in file["suggestions"]]
            for project_id, files in zip(project_ids, worst, strict=True)
        }
        ids = [
            f"{id_}/{suggestion['id']}"
            for id_, of_project in suggestions.items()
            for suggestion in of_project
        ]
        verdicts = self._store.get_many(SUGGESTIONS, ids) if ids else {}
        return {
            project_id: _insights(project_id, totals[project_id], of_project, verdicts)
            for project_id, of_project in suggestions.items()
        }


def _worst_files(project_id: str) -> Query:
    return Query(
        collection=FILE_INSIGHTS,
        where=(Equals("projectId", project_id), Above("worst", -1)),
        sort="worst",
        descending=True,
        limit=_FILES,
    )


def _insights(
    project_id: str,
    totals: Mapping[str, float],
    suggestions: Sequence[Document],
    verdicts: Mapping[str, Document],
) -> Document:
    """Return the insights without dismissed suggestions; other suggestions carry their verdict, if any."""
    open_ones = []
    for suggestion in suggestions:
        verdict = verdicts.get(f"{project_id}/{suggestion['id']}")
        if verdict is None:
            open_ones.append(suggestion)
        elif verdict["status"] != "dismissed":
            open_ones.append({**suggestion, "status": verdict["status"]})
    functions = int(totals["functionCount"])
    return {
        "projectId": project_id,
        "complexity": round(totals["complexityTotal"] / functions, 2) if functions else 0,
        "functions": functions,
        "files": int(totals["count"]),
        "lines": int(totals["lines"]),
        "suggestions": open_ones[:_SHOWN],
        "models": sorted({suggestion["model"] for suggestion in open_ones}),
    }
