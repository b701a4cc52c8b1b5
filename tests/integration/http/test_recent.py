"""Credentials change only shortly after signing in: a session that was left open is not enough."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from read_api.auth.principals import RECENT_SECONDS
from tests.support.application import whole_application

SENSITIVE = [
    ("PATCH", "/api/v1/me", {"email": "new@example.org"}),
    ("POST", "/api/v1/auth/mfa/setup", {}),
    ("POST", "/api/v1/me/tokens", {"name": "ci", "scopes": ["read"]}),
    ("DELETE", "/api/v1/me/sessions", None),
    ("DELETE", "/api/v1/me/sessions/01900000-0000-7000-8000-0000000000bb", None),
    ("DELETE", "/api/v1/me", None),
]


@asynccontextmanager
async def signing_in(path):
    """Serve in process, so that the clock can be moved; the client has no token."""
    async with whole_application(path) as app, app.anybody() as client:
        yield app.api, client


async def sign_in(client) -> str:
    account = {"email": "ada@example.org", "name": "ada", "password": "correct horse battery"}
    await client.post("/api/v1/auth/register", json=account)
    del account["name"]
    answer = await client.post("/api/v1/auth/login", json=account)
    return answer.json()["accessToken"]


@pytest.mark.parametrize(("method", "path", "body"), SENSITIVE)
def test_what_one_signs_in_with_takes_a_recent_sign_in(tmp_path, method, path, body) -> None:
    async def run():
        async with signing_in(tmp_path) as (api, client):
            headers = {"Authorization": f"Bearer {await sign_in(client)}"}
            principals = api.identity.principals
            session = principals.of(headers["Authorization"].removeprefix("Bearer ")).session
            stream = f"session-{session}"
            opened = principals.session(session)
            principals._states[stream] = replace(opened, opened_at=opened.opened_at - RECENT_SECONDS * 1000)
            late = await client.request(method, path, json=body, headers=headers)
            assert (late.status_code, late.json()["code"]) == (401, "insufficient_user_authentication")
            assert 'max_age="900"' in late.headers["www-authenticate"]
            del principals._states[stream]
            recent = await client.request(method, path, json=body, headers=headers)
            assert recent.status_code in (200, 201, 204, 404), recent.text

    asyncio.run(run())


def test_what_else_one_does_does_not(tmp_path) -> None:
    async def run():
        async with signing_in(tmp_path) as (api, client):
            headers = {"Authorization": f"Bearer {await sign_in(client)}"}
            principals = api.identity.principals
            session = principals.of(headers["Authorization"].removeprefix("Bearer ")).session
            opened = principals.session(session)
            principals._states[f"session-{session}"] = replace(opened, opened_at=0)
            for method, path, body in (
                ("PATCH", "/api/v1/me", {"name": "other"}),
                ("POST", "/api/v1/projects", {"name": "p"}),
                ("GET", "/api/v1/me/sessions", None),
            ):
                answer = await client.request(method, path, json=body, headers=headers)
                assert answer.is_success, answer.text

    asyncio.run(run())
