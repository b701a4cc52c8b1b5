"""The insights of a project."""

from domain.actor import Actor
from projections.insights_model import FILE_INSIGHTS
from projections.queries.access import visible_project
from projections.store import Above, DocumentStore, Equals, Query
from projections.writes import Document

SUGGESTIONS = 20
_FILES = 50


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
        totals = self._store.totals(
            FILE_INSIGHTS,
            (Equals("projectId", project_id),),
            ("complexityTotal", "functionCount", "lines"),
        )
        functions = int(totals["functionCount"])
        suggestions, models = self._suggestions(project_id)
        return {
            "projectId": project_id,
            "complexity": round(totals["complexityTotal"] / functions, 2) if functions else 0,
            "functions": functions,
            "files": int(totals["count"]),
            "lines": int(totals["lines"]),
            "suggestions": suggestions,
            "models": models,
        }

    def _suggestions(self, project_id: str) -> tuple[list[Document], list[str]]:
        worst = self._store.find(
            Query(
                collection=FILE_INSIGHTS,
                where=(Equals("projectId", project_id), Above("worst", -1)),
                sort="worst",
                descending=True,
                limit=_FILES,
            )
        )
        found = [suggestion for file in worst for suggestion in file["suggestions"]]
        known = self._store.get_many("suggestions", [f"{project_id}/{item['id']}" for item in found])
        kept = []
        for item in found:
            verdict = known.get(f"{project_id}/{item['id']}")
            if verdict is None or verdict["status"] != "dismissed":
                kept.append(item if verdict is None else {**item, "status": verdict["status"]})
        return kept[:SUGGESTIONS], sorted({item["model"] for item in kept})
