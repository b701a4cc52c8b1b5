"""A repeated idempotency key names what it named before: it never answers for something else."""

import asyncio

from domain.token.commands import RevokeToken
from tests.support.mailbox import installation

TOKENS, SESSIONS = "/api/v1/me/tokens", "/api/v1/me/sessions"
KEY = {"Idempotency-Key": "once"}


async def token(client):
    answer = await client.post(TOKENS, json={"name": "nightly", "scopes": ["read"]})
    return answer.json()["id"]


def test_a_key_that_revoked_one_token_does_not_answer_for_another(tmp_path) -> None:
    async def run():
        async with installation(tmp_path, verifies=False) as here:
            client = await here.client("ada", verified=False)
            first, second = await token(client), await token(client)
            revoked = await client.delete(f"{TOKENS}/{first}", headers=KEY)
            again = await client.delete(f"{TOKENS}/{first}", headers=KEY)
            assert (revoked.status_code, again.status_code) == (204, 204)
            assert again.headers["idempotency-replayed"] == "true"
            other = await client.delete(f"{TOKENS}/{second}", headers=KEY)
            assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
            assert [each["id"] for each in (await client.get(TOKENS)).json()["items"]] == [second]

    asyncio.run(run())


def test_a_key_that_ended_the_sessions_of_one_account_does_not_answer_for_another(tmp_path) -> None:
    async def run():
        async with installation(tmp_path, verifies=False) as here:
            people = [await here.client(name, verified=False) for name in ("ada", "bob")]
            ids = [(await person.get("/api/v1/me")).json()["id"] for person in people]
            paths = [f"/api/v1/accounts/{id_}/sessions" for id_ in ids]
            answers = [await here.app.client.delete(path, headers=KEY) for path in paths]
            assert [answer.status_code for answer in answers] == [204, 422]
            assert [(await person.get("/api/v1/me")).status_code for person in people] == [401, 200]

    asyncio.run(run())


def test_a_key_that_kept_this_session_does_not_answer_for_ending_all(tmp_path) -> None:
    async def run():
        async with installation(tmp_path, verifies=False) as here:
            client = await here.client("ada", verified=False)
            kept = await client.delete(f"{SESSIONS}?keepCurrent=true", headers=KEY)
            every = await client.delete(SESSIONS, headers=KEY)
            assert (kept.status_code, every.status_code) == (204, 422)

    asyncio.run(run())


def test_an_outcome_of_an_earlier_release_is_repeated_for_what_it_was_about(tmp_path) -> None:
    """Earlier releases noted no more than that a token was revoked."""

    async def run():
        async with installation(tmp_path, verifies=False) as here:
            client = await here.client("ada", verified=False)
            first, second = await token(client), await token(client)
            account = (await client.get("/api/v1/me")).json()["id"]
            earlier = await _revoked_as_before(here, client, account, first)
            assert earlier.status_code == 204
            again = await client.delete(f"{TOKENS}/{first}", headers=KEY)
            other = await client.delete(f"{TOKENS}/{second}", headers=KEY)
            assert (again.status_code, again.headers["idempotency-replayed"]) == (204, "true")
            assert other.status_code == 422

    asyncio.run(run())


async def _revoked_as_before(here, client, account, token_id):
    """Revoke a token as earlier releases did: its id is no part of the fingerprint."""
    intake = here.app.api.intake
    submit = intake.submit

    def without_names(command, _body, metadata):
        assert command == RevokeToken(token_id=token_id, account_id=account)
        return submit(command, None, metadata)

    intake.submit = without_names
    try:
        return await client.delete(f"{TOKENS}/{token_id}", headers=KEY)
    finally:
        intake.submit = submit
