"""The insights of a project."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from domain.actor import Actor
from projections.models.suggestions import SUGGESTIONS
from projections.queries.access import visible_project
from projections.store import Above, DocumentStore, Equals, Query
from projections.waiting_files import FILE_INSIGHTS
from projections.writes import Document

_SHOWN = 20
_FILES = 50
_LEFT_OUT_SHOWN = 50
_SUMS = ("complexityTotal", "functionCount", "lines", "leftOut", "waiting")

Pending = Callable[[Iterable[str]], set[str]]
"""From projects' ids to those with files that have changed and that the insights do not include yet."""


def nothing_pending(_project_ids: Iterable[str]) -> set[str]:
    """Return no project: the insights of a state that does not change are the newest."""
    return set()


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
        "filesLeftOut": 0,
        "insightsPending": False,
    }


class InsightQueries:
    """Complexity and suggestions of a project's files: the last ones, while newer ones are being made."""

    def __init__(self, store: DocumentStore, pending: Pending = nothing_pending) -> None:
        """Read from *store*; *pending* says where it does not include the newest files."""
        self._store = store
        self.pending = pending

    def get(self, project_id: str, actor: Actor) -> Document:
        """Return the insights of a project that *actor* may see; raises NotFoundError."""
        visible_project(self._store, project_id, actor)
        return self.many([project_id])[project_id]

    def many(self, project_ids: Sequence[str]) -> dict[str, Document]:
        """Return the insights of each project, with as many requests as for one.

        Mean cyclomatic complexity, sizes, the worst suggestions first, and the files that were left out.
        """
        pending = self.pending(project_ids)
        insights = self.stored(project_ids)
        left_out = self._left_out([id_ for id_, of_project in insights.items() if of_project["filesLeftOut"]])
        pending |= self.pending(project_ids)  # files may have arrived while these were read
        return {
            id_: {
                **of_project,
                "leftOut": left_out.get(id_, []),
                "insightsPending": of_project["insightsPending"] or id_ in pending,
            }
            for id_, of_project in insights.items()
        }

    def waits(self, project_id: str, through: int) -> bool:
        """Return whether a file that was written at the sequence *through* or before waits to be measured."""
        where = (Equals("projectId", project_id), Above("sequence", -1))
        first = self._store.find(Query(collection=FILE_INSIGHTS, where=where, sort="sequence", limit=1))
        return bool(first) and int(first[0]["sequence"]) <= through

    def stored(self, project_ids: Sequence[str]) -> dict[str, Document]:
        """Return what is stored of the insights of each project; pending where files wait to be measured."""
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

    def _left_out(self, project_ids: Sequence[str]) -> dict[str, list[Document]]:
        """Return the first files of each project that were left out, each with the reason."""
        files = self._store.find_many([_left_out_files(project_id) for project_id in project_ids])
        return {
            project_id: [{"file": file["path"], "reason": file["reason"]} for file in of_project]
            for project_id, of_project in zip(project_ids, files, strict=True)
        }


def _worst_files(project_id: str) -> Query:
    return Query(
        collection=FILE_INSIGHTS,
        where=(Equals("projectId", project_id), Above("worst", -1)),
        sort="worst",
        descending=True,
        limit=_FILES,
    )


def _left_out_files(project_id: str) -> Query:
    return Query(
        collection=FILE_INSIGHTS,
        where=(Equals("projectId", project_id), Equals("leftOut", 1)),
        limit=_LEFT_OUT_SHOWN,
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
    functions, waiting = int(totals["functionCount"]), int(totals["waiting"])
    return {
        "projectId": project_id,
        "complexity": round(totals["complexityTotal"] / functions, 2) if functions else 0,
        "functions": functions,
        "files": int(totals["count"]) - waiting,
        "lines": int(totals["lines"]),
        "suggestions": open_ones[:_SHOWN],
        "models": sorted({suggestion["model"] for suggestion in open_ones}),
        "filesLeftOut": int(totals["leftOut"]),
        "insightsPending": waiting > 0,
    }
