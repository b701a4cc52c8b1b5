"""No cache between us and a client keeps what is private: every query is looked at."""

import re
from typing import Any

import httpx
import pytest

from read_api.app import operations
from tests.integration.http.test_work import commit
from tests.support.people import Person, made

OWN = ("private, no-cache", "no-store")
PUBLIC = {"/.well-known/jwks.json": "public, max-age=300"}
SECRET = {"/api/v1/me/sessions", "/api/v1/me/tokens"}
"""Never compressed: they lie beside text that others may choose."""

QUERIES = sorted(
    operation.path for operation in operations() if operation.method == "GET" and not operation.hidden
)


@pytest.fixture
def filled(ada: Person, admin: httpx.Client, path: str) -> dict[str, str]:
    """A project with something of everything, and what the parameters of paths stand for."""
    made(ada.client.put(f"{path}/files/a.py", json={"content": "def f():\n    pass\n"}))
    commit(ada, path, ("b", "A", "1"), sha="abcd")
    review = made(ada.client.post(f"{path}/reviews", json={"title": "Look"}))
    build = made(ada.client.post(f"{path}/builds", json={}))
    told = made(admin.post("/api/v1/announcements", json={"title": "Hear", "text": "this"}))
    done = ada.client.patch(path, json={"description": "more"}).headers["codepark-command"]
    return {
        "project_id": path.rpartition("/")[2],
        "account_id": ada.id,
        "path": "a.py",
        "sha": "abcd",
        "review_id": review["id"],
        "build_id": build["id"],
        "announcement_id": told["id"],
        "command_id": done,
    }


def test_every_query_says_who_may_keep_its_answer(
    ada: Person, anybody: httpx.Client, filled: dict[str, Any]
) -> None:
    found = {}
    for declared in QUERIES:
        target = re.sub(r"\{(\w+):\w+\}", lambda match: filled.get(match[1], "none"), declared)
        for client in (ada.client, anybody):
            answer = client.get(target)
            cache, vary = answer.headers["cache-control"], answer.headers.get("vary", "").split(", ")
            assert cache == PUBLIC.get(declared) or cache in OWN, declared
            assert ("Accept-Encoding" in vary) is (declared not in SECRET), declared
            assert ("Authorization" in vary) is declared.startswith("/api/"), declared
            if not answer.is_success:
                assert cache == "no-store", declared
            if client is ada.client:
                found[declared] = answer.status_code
    refused = {path for path, status in found.items() if status != httpx.codes.OK}
    assert refused <= {"/api/v1/projects/{project_id:str}/collaborators/{account_id:str}"}, found
