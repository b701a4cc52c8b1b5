"""Accounts with small quotas, and what they send."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain import quotas
from domain.actor import Role, Tier
from domain.quotas import Amounts, Quotas
from tests.support.application import Application, unlimited, whole_application

PROJECTS, COMMANDS, ME = "/api/v1/projects", "/api/v1/commands", "/api/v1/me"
PASSWORD = "correct horse battery"


class AccountClient(httpx.AsyncClient):
    """A client that acts for the account with this *id*."""

    id: str


class Installation:
    """An application, and accounts that use it."""

    def __init__(self, app: Application) -> None:
        self.app = app

    def account(self, tier: Tier = Tier.FREE, id_: str | None = None) -> AccountClient:
        """Return a client that acts for an account; one that is not registered has the tier of its token."""
        issue = self.app.api.identity.tokens.issue_access
        client = AccountClient(transport=self.app.client._transport, base_url="http://test")
        client.id = id_ or str(uuid4())
        token = issue(client.id, frozenset({Role.USER}), tier=tier, operator=True)
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    async def registered(self, name: str) -> AccountClient:
        body = {"email": f"{name}@example.org", "name": name, "password": PASSWORD}
        answer = await self.app.anybody().post("/api/v1/auth/register", json=body)
        return self.account(id_=answer.json()["id"])


@asynccontextmanager
async def installation(path: Path, **changes: Any) -> AsyncIterator[Installation]:
    async with whole_application(path, **{"limits": unlimited()} | changes) as app:
        yield Installation(app)


Small = Callable[..., None]


def small_quotas(monkeypatch: pytest.MonkeyPatch) -> Small:
    """Return what makes the quotas of the free tier as small as a test needs them."""

    def make(*, projects: int = 100, files: int = 100, bytes_: int = 1_000, collaborators: int = 20) -> None:
        most = Amounts(projects=projects, files=files, bytes=bytes_)
        monkeypatch.setitem(quotas.QUOTAS, Tier.FREE, Quotas(most, collaborators=collaborators))

    return make


async def project(client: httpx.AsyncClient, **fields: Any) -> str:
    answer = await client.post(PROJECTS, json={"name": "p"} | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def written(answer: httpx.Response) -> None:
    assert answer.is_success, answer.text


def refused(answer: httpx.Response, *words: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "quota_exceeded"), answer.text
    assert all(word in problem["detail"] for word in words), problem["detail"]


def put(client: httpx.AsyncClient, project_id: str, path: str, content: str, **body: Any) -> Any:
    url = f"{PROJECTS}/{project_id}/files/{path}"
    return client.put(url, json={"content": content, "encoding": "utf-8"} | body)


def commit(sha: str, *changes: tuple[str, str | None]) -> dict[str, Any]:
    """Return the body of a commit that gives paths this content, and deletes those without any."""
    return {
        "sha": sha,
        "message": "m",
        "author": {"name": "n", "email": None},
        "authoredAt": "2024-01-31T12:00:00Z",
        "parents": [],
        "changes": [
            {"path": path, "status": "D" if content is None else "M", "content": content}
            for path, content in changes
        ],
    }
