"""What ends with a password: sessions, API tokens, and mails that reset it."""

import asyncio

import pyotp

from tests.support.mailbox import AUTH, PASSWORD, installation

TOKENS = "/api/v1/me/tokens"
ADDRESS = "ada@example.org"


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def api_token(client) -> str:
    answer = await client.post(TOKENS, json={"name": "ci", "scopes": ["read", "write"]})
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


def test_a_reset_and_the_end_of_all_sessions_end_api_tokens(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            service = here.acting(await api_token(ada))
            assert (await here.reset(ADDRESS)).status_code == 204
            refused(await service.get("/api/v1/me"), 401, "invalid_token")
            refused(await service.post("/api/v1/projects", json={"name": "p"}), 401, "invalid_token")
            for ending in ("?keepCurrent=true", ""):
                login = await here.log_in(ADDRESS, "battery staple horse")
                ada = here.acting(login["accessToken"])
                service = here.acting(await api_token(ada))
                assert (await service.get("/api/v1/me")).status_code == 200
                assert (await ada.delete(f"/api/v1/me/sessions{ending}")).status_code == 204
                refused(await service.get("/api/v1/me"), 401, "invalid_token")
            ada = here.acting((await here.log_in(ADDRESS, "battery staple horse"))["accessToken"])
            assert (await ada.get(TOKENS)).json()["items"] == []

    asyncio.run(run())


def test_an_administrator_ends_the_tokens_of_an_account_with_its_sessions(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            service = here.acting(await api_token(ada))
            account = (await ada.get("/api/v1/me")).json()["id"]
            ended = await here.app.client.delete(f"/api/v1/accounts/{account}/sessions")
            assert ended.status_code == 204
            refused(await service.get("/api/v1/me"), 401, "invalid_token")

    asyncio.run(run())


def test_a_change_of_password_ends_tokens_where_that_is_wanted(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            service = here.acting(await api_token(ada))
            body = {"currentPassword": PASSWORD, "newPassword": "battery staple horse"}
            assert (await ada.put("/api/v1/me/password", json=body)).status_code == 204
            assert (await service.get("/api/v1/me")).status_code == 200
            body = {"currentPassword": "battery staple horse", "newPassword": PASSWORD, "revokeTokens": True}
            assert (await ada.put("/api/v1/me/password", json=body)).status_code == 204
            refused(await service.get("/api/v1/me"), 401, "invalid_token")
            assert (await here.acting(await api_token(ada)).get("/api/v1/me")).status_code == 200

    asyncio.run(run())


def test_a_mail_tells_of_a_new_token_once(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            body, headers = {"name": "my ci", "scopes": ["read"]}, {"Idempotency-Key": "one"}
            for _ in range(2):
                assert (await ada.post(TOKENS, json=body, headers=headers)).status_code == 201
            (mail,) = await here.mails(ADDRESS, "An API token was created")
            assert "my ci" in mail

    asyncio.run(run())


async def forgotten(here) -> str:
    await here.visitor.post(f"{AUTH}/password/forgot", json={"email": ADDRESS})
    return await here.token(ADDRESS, "Reset your password")


def test_a_reset_that_was_mailed_to_an_earlier_address_is_refused(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            token = await forgotten(here)
            assert (await ada.patch("/api/v1/me", json={"email": "new@example.org"})).status_code == 200
            body = {"token": token, "password": "battery staple horse"}
            refused(await here.visitor.post(f"{AUTH}/password/reset", json=body), 403, "reset_used")

    asyncio.run(run())


def test_a_reset_of_before_a_second_factor_is_refused(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            token = await forgotten(here)
            secret = (await ada.post(f"{AUTH}/mfa/setup", json={})).json()["secret"]
            code = pyotp.TOTP(secret).now()
            grouped = f" {code[:3]} {code[3:]}"  # as authenticator apps show it
            assert (await ada.post(f"{AUTH}/mfa/enable", json={"code": grouped})).status_code == 200
            body = {"token": token, "password": "battery staple horse"}
            refused(await here.visitor.post(f"{AUTH}/password/reset", json=body), 403, "reset_used")

    asyncio.run(run())


def test_a_second_use_of_a_sign_in_uses_no_recovery_code(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            secret = (await ada.post(f"{AUTH}/mfa/setup", json={})).json()["secret"]
            enabled = await ada.post(f"{AUTH}/mfa/enable", json={"code": pyotp.TOTP(secret).now()})
            codes = enabled.json()["recoveryCodes"]

            async def verify(token, code):
                return await here.visitor.post(f"{AUTH}/mfa/verify", json={"mfaToken": token, "code": code})

            first = (await here.log_in(ADDRESS))["mfaToken"]
            answers = await asyncio.gather(verify(first, codes[0]), verify(first, codes[1]))
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            refused(await verify(first, codes[2]), 409, "session_exists")
            unused = codes[1] if answers[0].status_code == 200 else codes[0]
            for code in (unused, codes[2]):
                again = (await here.log_in(ADDRESS))["mfaToken"]
                assert (await verify(again, code)).status_code == 200

    asyncio.run(run())
