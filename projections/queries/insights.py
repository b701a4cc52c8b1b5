"""The insights of a project."""

from collections.abc import Mapping, Sequence

from domain.actor import Actor
from projections.insights_model import FILE_INSIGHTS
from projections.queries.access import visible_project
from projections.store import Above, DocumentStore, Equals, Query
from projections.writes import Document

SUGGESTIONS = 20
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
        """Return the insights in structured form: mean cyclomatic complexity, sizes, the worst suggestions first."""
        return self.many([project_id])[project_id]

    def many(self, project_ids: Sequence[str]) -> dict[str, Document]:
        """Return the insights of each project, as `of` does, with as many questions as for one."""
        totals = self._store.totals_by(FILE_INSIGHTS, "projectId", project_ids, _SUMS)
        worst = self._store.find_many([_worst(project_id) for project_id in project_ids])
        found = {
            project_id: [suggestion for file in files for suggestion in file["suggestions"]]
            for project_id, files in zip(project_ids, worst, strict=True)
        }
        asked = [f"{project_id}/{item['id']}" for project_id, items in found.items() for item in items]
        verdicts = self._store.get_many("suggestions", asked) if asked else {}
        return {
            project_id: _insights(project_id, totals[project_id], items, verdicts)
            for project_id, items in found.items()
        }


def _worst(project_id: str) -> Query:
    return Query(
        collection=FILE_INSIGHTS,
        where=(Equals("projectId", project_id), Above("worst", -1)),
        sort="worst",
        descending=True,
        limit=_FILES,
    )


def _insights(
    project_id: str, totals: Mapping[str, float], found: Sequence[Document], verdicts: Mapping[str, Document]
) -> Document:
    kept = []
    for item in found:
        verdict = verdicts.get(f"{project_id}/{item['id']}")
        if verdict is None or verdict["status"] != "dismissed":
            kept.append(item if verdict is None else {**item, "status": verdict["status"]})
    functions = int(totals["functionCount"])
    return {
        "projectId": project_id,
        "complexity": round(totals["complexityTotal"] / functions, 2) if functions else 0,
        "functions": functions,
        "files": int(totals["count"]),
        "lines": int(totals["lines"]),
        "suggestions": kept[:SUGGESTIONS],
        "models": sorted({item["model"] for item in kept}),
    }
