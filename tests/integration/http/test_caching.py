"""No cache between the server and a client stores a private answer: every query is checked."""

import re
from typing import Any

import httpx
import pytest

from read_api.app import operations
from read_api.gateway.operation import Operation
from tests.integration.http.test_roles import ANYBODYS
from tests.integration.http.test_work import commit
from tests.support.people import Person, made

PUBLIC = {"/.well-known/jwks.json": "public, max-age=300"}
SECRET = {"/api/v1/me/sessions", "/api/v1/me/tokens"}
"""Never compressed: they are next to text that others may choose."""

QUERIES = [operation for operation in operations() if operation.method == "GET" and not operation.hidden]


def caching_of(operation: Operation) -> str:
    """Return what a cache may do with a success: revalidate what has a tag or pages, store nothing else."""
    if operation.path in PUBLIC:
        return PUBLIC[operation.path]
    paged = operation.query is not None and not {"cursor", "first"}.isdisjoint(
        operation.query.__struct_fields__
    )
    return "private, no-cache" if operation.conditional or paged else "no-store"


@pytest.fixture
def filled(ada: Person, admin: httpx.Client, path: str) -> dict[str, str]:
    """A project with something of everything, and what the parameters of paths stand for."""
    made(ada.client.put(f"{path}/files/a.py", json={"content": "def f():\n    pass\n"}))
    commit(ada, path, ("b", "A", "1"), sha="abcd")
    review = made(ada.client.post(f"{path}/reviews", json={"title": "Look"}))
    build = made(ada.client.post(f"{path}/builds", json={}))
    announcement = made(admin.post("/api/v1/announcements", json={"title": "Hear", "text": "this"}))
    command_id = ada.client.patch(path, json={"description": "more"}).headers["codepark-command"]
    return {
        "project_id": path.rpartition("/")[2],
        "account_id": ada.id,
        "path": "a.py",
        "sha": "abcd",
        "review_id": review["id"],
        "build_id": build["id"],
        "announcement_id": announcement["id"],
        "command_id": command_id,
    }


def test_every_query_says_what_caches_may_do_with_its_answer(
    ada: Person, anybody: httpx.Client, filled: dict[str, Any]
) -> None:
    refused = set()
    for operation in QUERIES:
        path = operation.path
        target = re.sub(r"\{(\w+):\w+\}", lambda match: filled.get(match[1], "none"), path)
        target += ANYBODYS.get(path, "")
        for client in (ada.client, anybody):
            answer = client.get(target)
            vary = answer.headers.get("vary", "").split(", ")
            expected = caching_of(operation) if answer.is_success else "no-store"
            assert answer.headers["cache-control"] == expected, path
            assert ("Accept-Encoding" in vary) is (path not in SECRET), path
            assert ("Authorization" in vary) is path.startswith("/api/"), path
            if client is ada.client and not answer.is_success:
                refused.add(path)
    assert refused <= {
        "/api/v1/jobs",
        "/api/v1/jobs/{job_id:str}",
        "/api/v1/metrics/business",
        "/api/v1/projects/{project_id:str}/collaborators/{account_id:str}",
    }
