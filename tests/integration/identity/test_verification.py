"""An address is verified by mail; until then, its account is a visitor with private projects."""

import asyncio

import pytest

from tests.support.mailbox import AUTH, PASSWORD, installation

PROJECTS = "/api/v1/projects"
VERIFY = "Verify your address"
REVIEW = {"title": "t"}


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_an_unverified_account_has_its_own_private_projects_and_nothing_else(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            owner, eve = await here.client("owner"), await here.client("eve", verified=False)
            public = (await owner.post(PROJECTS, json={"name": "p", "visibility": "public"})).json()["id"]
            shared = (await owner.post(PROJECTS, json={"name": "s"})).json()["id"]
            eve_id = (await eve.get("/api/v1/me")).json()["id"]
            member = f"{PROJECTS}/{shared}/collaborators/{eve_id}"
            assert (await owner.put(member, json={"role": "editor"})).status_code == 200

            assert (await eve.get(f"{PROJECTS}/{public}")).status_code == 200
            review = await eve.post(f"{PROJECTS}/{public}/reviews", json=REVIEW)
            refused(review, 403, "email_unverified")
            assert "/api/v1/auth/verify" in review.json()["detail"]
            build = await eve.post(f"{PROJECTS}/{public}/builds", json={})
            refused(build, 403, "email_unverified")
            refused(await eve.get(f"{PROJECTS}/{shared}"), 404, "project_not_found")
            listed = (await eve.get(PROJECTS)).json()["items"]
            assert [project["id"] for project in listed] == [public]

            own = await eve.post(PROJECTS, json={"name": "own"})
            path = f"{PROJECTS}/{own.json()['id']}"
            assert (await eve.put(f"{path}/files/a.txt", json={"content": "a"})).status_code in (200, 201)
            refused(await eve.patch(path, json={"visibility": "public"}), 403, "email_unverified")
            new = {"name": "x", "visibility": "public"}
            refused(await eve.post(PROJECTS, json=new), 403, "email_unverified")
            token = {"name": "t", "scopes": ["read"]}
            refused(await eve.post("/api/v1/me/tokens", json=token), 403, "email_unverified")
            refused(await eve.post(f"{AUTH}/mfa/setup", json={}), 403, "email_unverified")

            await here.verify(await here.token("eve@example.org", VERIFY))
            assert (await eve.get(f"{PROJECTS}/{shared}")).status_code == 200
            assert (await eve.post(f"{PROJECTS}/{public}/reviews", json=REVIEW)).status_code == 201
            assert (await eve.patch(path, json={"visibility": "public"})).status_code == 200

    asyncio.run(run())


def test_the_same_holds_for_commands_and_graphql(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            owner, eve = await here.client("owner"), await here.client("eve", verified=False)
            public = (await owner.post(PROJECTS, json={"name": "p", "visibility": "public"})).json()["id"]
            commands = [{"id": "1", "type": "review.open", "target": public, "data": REVIEW}]
            answer = (await eve.post("/api/v1/commands", json={"commands": commands})).json()
            assert answer["results"][0]["problem"]["code"] == "email_unverified"
            query = f'mutation {{ openReview(projectId: "{public}", input: {{title: "t"}}) {{ version }} }}'
            errors = (await eve.post("/graphql", json={"query": query})).json()["errors"]
            assert errors[0]["extensions"]["code"] == "email_unverified"

    asyncio.run(run())


def test_whether_an_address_is_verified_is_shown_and_mail_is_sent_again(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            eve = await here.client("eve", verified=False)
            assert (await eve.get("/api/v1/me")).json()["emailVerified"] is False
            query = {"query": "{ me { emailVerified } }"}
            assert (await eve.post("/graphql", json=query)).json()["data"]["me"] == {"emailVerified": False}
            first = await here.token("eve@example.org", VERIFY)
            assert (await eve.post(f"{AUTH}/verify/resend")).status_code == 204
            assert len(await here.mails("eve@example.org", VERIFY)) == 2
            await here.verify(first)
            await here.verify(first)
            assert (await eve.get("/api/v1/me")).json()["emailVerified"] is True
            refused(await eve.post(f"{AUTH}/verify/resend"), 409, "already_verified")
            refused(await here.visitor.post(f"{AUTH}/verify/resend"), 401, "authentication_required")
            access = eve.headers["Authorization"].removeprefix("Bearer ")
            refused(await here.verify(access, 401), 401, "invalid_token")

    asyncio.run(run())


def test_a_changed_address_is_verified_too(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            before = await here.token("ada@example.org", VERIFY)
            changed = await ada.patch("/api/v1/me", json={"email": "new@example.org"})
            assert changed.json()["emailVerified"] is False
            token = {"name": "t", "scopes": ["read"]}
            refused(await ada.post("/api/v1/me/tokens", json=token), 403, "email_unverified")
            refused(await here.verify(before, 403), 403, "verification_outdated")
            await here.verify(await here.token("new@example.org", VERIFY))
            assert (await ada.get("/api/v1/me")).json()["emailVerified"] is True

    asyncio.run(run())


@pytest.mark.parametrize("verifies", [False, True])
def test_whoever_asks_which_addresses_are_taken_is_slowed_down(tmp_path, verifies) -> None:
    """A condition that never holds changes nothing, and would tell a free address from one that is taken."""

    async def run():
        async with installation(tmp_path, verifies=verifies) as here:
            for name in ("ada", "bob"):
                await here.register(name)
            ada = here.acting((await here.log_in("ada@example.org"))["accessToken"])
            never, answers = {"If-Match": '"999"'}, []
            for name in ("bob", "nobody", "bob", "nobody2", "bob", "nobody3", "bob"):
                body = {"email": f"{name}@example.org"}
                answers.append((await ada.patch("/api/v1/me", json=body, headers=never)).status_code)
            assert answers[:2] == [409, 412]
            assert answers[-1] == 429
            own = {"email": "ada@example.org", "name": "ada2"}
            assert (await ada.patch("/api/v1/me", json=own)).status_code == 200

    asyncio.run(run())


def test_an_administrator_with_an_unverified_address_administers_nothing(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            me = (await ada.get("/api/v1/me")).json()["id"]
            await here.app.client.patch(f"/api/v1/accounts/{me}", json={"roles": ["admin"]})
            assert (await ada.get("/api/v1/accounts")).status_code == 200
            await ada.patch("/api/v1/me", json={"email": "new@example.org"})
            refused(await ada.get("/api/v1/accounts"), 403, "role_required")

    asyncio.run(run())


def test_the_owner_of_an_address_takes_over_an_account_that_another_opened_with_it(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            squatter = await here.client("victim", verified=False)
            answer = await here.reset("victim@example.org")
            assert answer.status_code == 204, answer.text
            assert (await squatter.get("/api/v1/me")).status_code == 401
            login = {"email": "victim@example.org", "password": PASSWORD}
            refused(await here.visitor.post(f"{AUTH}/login", json=login), 401, "invalid_credentials")
            tokens = await here.log_in("victim@example.org", "battery staple horse")
            me = (await here.acting(tokens["accessToken"]).get("/api/v1/me")).json()
            assert me["emailVerified"] is True  # the mail has reached its owner

    asyncio.run(run())


def test_without_a_mail_server_every_address_counts_as_verified(tmp_path) -> None:
    async def run():
        async with installation(tmp_path, verifies=False) as here:
            account = await here.register("ada")
            assert account["emailVerified"] is True
            assert await here.mails("ada@example.org", VERIFY) == []
            ada = here.acting((await here.log_in("ada@example.org"))["accessToken"])
            body = {"name": "p", "visibility": "public"}
            assert (await ada.post(PROJECTS, json=body)).status_code == 201

    asyncio.run(run())
