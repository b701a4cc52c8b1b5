"""What accounts own, according to the read models: for their quotas, and shown to nobody else."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from domain.quotas import NOTHING, Amounts
from projections.budget import Budget, budgeted
from projections.models.commits import COMMITS
from projections.models.files import FILES
from projections.models.projects import PROJECTS
from projections.queries.composed_answers import ComposedAnswers
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document

_AT_ONCE = 1_000
_KEPT, _WEIGHT = 20_000, 200
_UNBOUNDED = 1 << 50
"""What is read to decide a command is no part of the answer, whose bytes the request's budget counts."""


class Usage(Struct, frozen=True, kw_only=True):
    """What an account owns, and how many *collaborators* the project with the most of them has."""

    owned: Amounts
    collaborators: int


class UsageQueries:
    """Measure what accounts own. Nothing here asks who wants to know it: callers do."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*; what a project's files take is kept until the project changes."""
        self._store = store
        self._files: ComposedAnswers[Amounts] = ComposedAnswers(lambda _: _WEIGHT, size=_KEPT)

    def touch(self, project_ids: Iterable[str] | None) -> None:
        """Forget what these projects take, of all with None; called after each write."""
        if project_ids is None:
            self._files.clear()
        else:
            self._files.touch(project_ids)

    def project(self, project_id: str) -> Document | None:
        """Return the document of a project."""
        with _unbounded():
            return self._store.get(PROJECTS, project_id)

    def of(self, account_id: str) -> Usage:
        """Return what an account owns."""
        owned, collaborators, after = NOTHING, 0, None
        with _unbounded():
            while True:
                projects = self._store.find(_owned_by(account_id, after))
                owned += Amounts(projects=len(projects)) + self._sum_of([each["id"] for each in projects])
                collaborators = max([collaborators, *(len(each["collaborators"]) for each in projects)])
                if len(projects) < _AT_ONCE:
                    return Usage(owned=owned, collaborators=collaborators)
                after = projects[-1]["createdAt"], projects[-1]["id"]

    def sizes(self, project_id: str, paths: Sequence[str]) -> dict[str, int]:
        """Return the sizes of those files at *paths* that exist, by path."""
        sizes: dict[str, int] = {}
        with _unbounded():
            for first in range(0, len(paths), _AT_ONCE):
                ids = [f"{project_id}/{path}" for path in paths[first : first + _AT_ONCE]]
                files = self._store.get_many(FILES, ids)
                sizes |= {file["path"]: int(file["size"]) for file in files.values()}
        return sizes

    def has_commit(self, project_id: str, sha: str) -> bool:
        """Return whether a project has a commit."""
        with _unbounded():
            return self._store.get(COMMITS, f"{project_id}/{sha}") is not None

    def _sum_of(self, project_ids: Sequence[str]) -> Amounts:
        """Return what the files of these projects take together."""
        since, owned = self._files.moment, NOTHING
        for amounts in self._files.get_many(project_ids, since, self._measured).values():
            owned += amounts
        return owned

    def _measured(self, project_ids: Sequence[str]) -> dict[str, Amounts]:
        totals = self._store.totals_by(FILES, "projectId", project_ids, ("size",))
        return {
            id_: Amounts(files=int(sums["count"]), bytes=int(sums["size"])) for id_, sums in totals.items()
        }


def _unbounded() -> budgeted:
    return budgeted(Budget(read=_UNBOUNDED))


def _owned_by(account_id: str, after: tuple[str, str] | None) -> Query:
    query = Query(
        collection=PROJECTS, where=(Equals("ownerId", account_id),), sort="createdAt", limit=_AT_ONCE
    )
    return query if after is None else replace(query, after=after)
