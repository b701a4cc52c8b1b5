"""Load what many fields ask for together: twenty of them cost as many store calls as one."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from aiodataloader import DataLoader

from projections.queries.access import project_not_found
from projections.queries.page import Page, PageRequest
from projections.writes import Document
from read_api.contract.large_reads import large_read
from read_api.contract.quotas import own_quotas
from read_api.gateway.call import Call
from read_api.query_services import Queries

_BATCH_SIZE = 100

Ask = Callable[[Queries, Sequence[Any]], Mapping[Any, Any]]
"""From the query objects and keys to what they have under these keys."""


class Loaders:
    """The loaders of one request; what one has loaded is kept until the request ends."""

    def __init__(self, call: Call) -> None:
        """Read for *call*."""
        self._call = call
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}

    def forget(self) -> None:
        """Forget what was loaded: a circle of references would keep it until it is collected."""
        self._loaders.clear()

    async def project(self, id_: str) -> Document | None:
        """Return a project without its files, None where the sender may not see one of that id."""
        project: Document | None = await self._loader("project", self._projects).load(id_)
        return project

    async def account(self, id_: str) -> Document | None:
        """Return an account as the sender may see it, None where there is none."""
        return await self._one("account", lambda q, ids: q.accounts.many(ids, self._call.actor), id_)

    async def quotas(self) -> Document:
        """Return what the sender owns and may own."""

        async def load(keys: list[Any]) -> list[Any]:
            return [await own_quotas(self._call)] * len(keys)

        quotas: Document = await self._loader("quotas", load).load(self._call.actor.id)
        return quotas

    async def insights(self, project_id: str) -> Document:
        """Return the insights of a project that the sender may see."""
        await self.project(
            project_id
        )  # loads the projects of all parents together, and checks who may see them
        insights: Document = await self._load("insights", lambda q, ids: q.insights.many(ids), project_id)
        return insights

    async def review(self, id_: str) -> Document | None:
        """Return a review without its comments."""
        return await self._one("review", lambda q, ids: q.reviews.many(ids, self._call.actor), id_)

    async def comments(self, review_id: str) -> Document:
        """Return the comments on a review that the sender may see, and whether there are more."""
        actor = self._call.actor
        comments: Document | None = await self._load(
            "comments", lambda q, ids: q.reviews.comments(ids, actor), review_id
        )
        return comments or {"comments": []}

    async def build(self, id_: str) -> Document | None:
        """Return a build."""
        return await self._one("build", lambda q, ids: q.builds.many(ids, self._call.actor), id_)

    async def announcement(self, id_: str) -> Document | None:
        """Return an announcement."""
        return await self._one("announcement", lambda q, ids: q.inbox.announcements_of(ids), id_)

    async def file(self, project_id: str, path: str) -> Document | None:
        """Return a file with its content; raises OverBudgetError where the answer has no room for it."""

        async def load(keys: list[Any]) -> list[Any]:
            actor = self._call.actor
            async with large_read(self._call) as budget:
                by_key = await self._call.read(
                    lambda queries: queries.files.many(keys, actor, budget.left), large=True
                )
            return [by_key.get(key) for key in keys]

        document: Document | None = await self._loader("file", load).load((project_id, path))
        return document

    async def commit(self, project_id: str, sha: str) -> Document | None:
        """Return a commit with its changes."""
        return await self._one(
            "commit", lambda q, keys: q.commits.many(keys, self._call.actor), (project_id, sha)
        )

    async def page(self, project_id: str, kind: str, page: PageRequest, path: str = "") -> Page:
        """Return a page of a project's files, commits, reviews or builds; raises NotFoundError."""
        actor = self._call.actor

        def ask(queries: Queries, ids: Sequence[str]) -> Mapping[str, Page]:
            if kind == "files":
                return queries.files.pages(ids, path, page, actor)
            if kind == "commits":
                return queries.commits.pages(ids, path or None, page, actor)
            if kind == "reviews":
                return queries.reviews.pages(ids, page, actor)
            return queries.builds.pages(ids, page, actor)

        loaded: Page | None = await self._load((kind, page.limit, page.cursor, path), ask, project_id)
        if loaded is None:
            raise project_not_found(project_id)
        return loaded

    async def _one(self, name: Hashable, ask: Ask, key: Any) -> Document | None:
        document: Document | None = await self._load(name, ask, key)
        return document

    async def _load(self, name: Hashable, ask: Ask, key: Any) -> Any:
        async def load(keys: list[Any]) -> list[Any]:
            # A page of one project is refused where a dead letter blocks that project.
            project = keys[0] if len(keys) == 1 and isinstance(name, tuple) else None
            by_key = await self._call.read(lambda queries: ask(queries, keys), project=project)
            return [by_key.get(key) for key in keys]

        return await self._loader(name, load).load(key)

    async def _projects(self, ids: list[str]) -> list[Document | None]:
        actor = self._call.actor
        page = await self._call.read_list(
            lambda q: Page(items=list(q.projects.many(ids, actor).values()), next_cursor=None)
        )
        by_id = {project["id"]: project for project in page.items}
        return [by_id.get(id_) for id_ in ids]

    def _loader(self, name: Hashable, load: Callable[[list[Any]], Any]) -> "DataLoader[Any, Any]":
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load, max_batch_size=_BATCH_SIZE)
        return self._loaders[name]
