"""Quotas over every way in: what passes one is refused, and everything else goes through."""

import asyncio
import base64
from typing import Any

import pytest
from msgspec.structs import replace

from commands.intake import created_id
from domain.actor import Tier
from tests.support.application import unlimited, whole_application
from tests.support.quotas import (
    COMMANDS,
    ME,
    PROJECTS,
    Installation,
    commit,
    installation,
    project,
    put,
    refused,
    written,
)


def batch(*commands: dict[str, Any]) -> dict[str, Any]:
    return {"json": {"commands": list(commands)}}


SIX = tuple((f"s{n}", "x") for n in range(6))
CREATE = {"type": "project.create", "data": {"name": "p"}}


def test_four_batches_of_500_projects_leave_as_many_as_the_quota_allows(tmp_path):
    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            accepted = []
            for _ in range(4):
                results = (await client.post(COMMANDS, **batch(*[CREATE] * 500))).json()["results"]
                accepted.append(sum(result["status"] == "accepted" for result in results))
                codes = {result["problem"]["code"] for result in results if "problem" in result}
                assert codes == {"quota_exceeded"}
            assert accepted == [100, 0, 0, 0]
            refused(await client.post(PROJECTS, json={"name": "p"}), "100 projects", "tier free", "has 100")

    asyncio.run(run())


def test_projects_that_are_created_at_once_do_not_pass_the_quota(tmp_path, small):
    small(projects=10)

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            answers = await asyncio.gather(*(client.post(PROJECTS, json={"name": "p"}) for _ in range(40)))
            assert sorted({answer.status_code for answer in answers}) == [201, 403]
            assert sum(answer.status_code == 201 for answer in answers) == 10

    asyncio.run(run())


def test_a_project_that_is_deleted_makes_room(tmp_path, small):
    small(projects=2, files=3)

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            first, second = await project(client), await project(client)
            for path in ("a", "b", "c"):
                written(await put(client, first, path, "x"))
            refused(await client.post(PROJECTS, json={"name": "p"}))
            refused(await put(client, second, "d", "x"), "3 files")
            written(await client.delete(f"{PROJECTS}/{first}"))
            written(await put(client, second, "d", "x"))
            await project(client)

    asyncio.run(run())


def test_what_does_not_grow_passes_above_the_quota(tmp_path, small):
    """The account had more room once; deletions, smaller files, the same ones and reads need none."""

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            id_ = await project(client)
            for path in ("a", "b", "c"):
                written(await put(client, id_, path, "x" * 100))
            small(projects=0, files=1, bytes_=50)
            refused(await put(client, id_, "a", "x" * 101), "50 bytes of files", "has 300")
            refused(await put(client, id_, "d", ""), "1 files")
            written(await put(client, id_, "a", "x" * 100))
            written(await put(client, id_, "a", "y" * 99))
            written(await client.patch(f"{PROJECTS}/{id_}", json={"name": "q"}))
            written(await client.delete(f"{PROJECTS}/{id_}/files/b"))
            written(await client.get(f"{PROJECTS}/{id_}"))
            refused(await client.post(PROJECTS, json={"name": "p"}))
            written(await client.delete(f"{PROJECTS}/{id_}"))

    asyncio.run(run())


def test_bytes_are_those_of_the_decoded_content(tmp_path, small):
    small(bytes_=90)

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            id_ = await project(client)
            data = base64.b64encode(bytes(60)).decode()
            written(await put(client, id_, "a", data, encoding="base64"))
            written(await put(client, id_, "b", "é" * 15))
            refused(await put(client, id_, "c", "x"), "90 bytes")

    asyncio.run(run())


def test_a_commit_counts_as_a_whole(tmp_path, small):
    small(files=3)

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            id_ = await project(client)
            url = f"{PROJECTS}/{id_}/commits"
            first = commit("aaaa1", ("a", "x"), ("b", "x"), ("c", "x"))
            written(await client.post(url, json=first))
            refused(await client.post(url, json=commit("aaaa2", ("d", "x"))), "3 files")
            written(await client.post(url, json=commit("aaaa3", ("a", None), ("d", "x"), ("b", "x"))))
            written(await client.post(url, json=first))  # it is recorded already, and adds nothing
            refused(await client.post(url, json=commit("aaaa4", ("b", None), ("e", "x"), ("f", "x"))))

    asyncio.run(run())


def test_a_batch_is_refused_from_where_there_is_no_room(tmp_path, small):
    small(files=4)

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            id_ = await project(client)
            paths = ["a", "a", "b", "c", "d", "e", "a", "f"]
            commands = [
                {"type": "file.write", "target": id_, "data": {"path": path, "content": f"{n}"}}
                for n, path in enumerate(paths)
            ]
            results = (await client.post(COMMANDS, **batch(*commands))).json()["results"]
            passed = [path for path, each in zip(paths, results, strict=True) if each["status"] == "accepted"]
            assert passed == ["a", "a", "b", "c", "d", "a"]

    asyncio.run(run())


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "at once"])
def test_a_project_that_is_being_created_has_its_files_counted(tmp_path, small, apart):
    """Its id follows from the key, so that files can be sent along before the read models know it."""
    small(files=5)

    async def run():
        async with installation(tmp_path) as here:
            client = await here.registered("ada")
            created = {**CREATE, "id": "k"}
            known = (await client.post(COMMANDS, **batch(created))).json()["results"][0]["target"]
            written(await client.delete(f"{PROJECTS}/{known}"))
            created, id_ = {**CREATE, "id": "l"}, created_id(client.id, "", "l")
            assert known == created_id(client.id, "", "k"), "anybody could know it"
            files = [commit(f"aaaa{n}", (f"{n}", "x"), (f"{n}b", "x")) for n in range(10)]
            records = [{"type": "commit.record", "target": id_, "data": data} for data in files]
            if apart:
                sent = [batch(created), *(batch(each) for each in records)]
            else:
                sent = [batch(created, *records)]
            await asyncio.gather(*(client.post(COMMANDS, **each) for each in sent))
            used = (await client.get(ME)).json()["quotas"]["files"]["used"]
            assert used in ((0, 2, 4) if apart else (4,)), "commits may have come before the project"
            refused(await client.post(f"{PROJECTS}/{id_}/commits", json=commit("bbbb", *SIX)), "5 files")

    asyncio.run(run())


def test_a_deletion_in_a_batch_makes_no_room_for_the_same_batch(tmp_path, small):
    """Deletions that are refused later would make room that is not there."""
    small(projects=1)

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            id_ = await project(client)
            delete = {"type": "project.delete", "target": id_, "data": {}, "expectedVersion": 7}
            results = (await client.post(COMMANDS, **batch(*[delete, CREATE] * 5))).json()["results"]
            codes = {result["problem"]["code"] for result in results}
            assert codes == {"version_mismatch", "quota_exceeded"}

    asyncio.run(run())


def test_mutations_of_graphql_are_refused_alike(tmp_path, small):
    small(projects=1)

    async def run():
        async with installation(tmp_path) as here:
            client = here.account()
            mutation = 'mutation { a: createProject(input: {name: "p"}) { version } }'
            assert "errors" not in (await client.post("/graphql", json={"query": mutation})).json()
            (error,) = (await client.post("/graphql", json={"query": mutation})).json()["errors"]
            assert error["extensions"]["code"] == "quota_exceeded"
            assert "has 1," in error["message"]

    asyncio.run(run())


def test_a_repeated_command_has_its_first_outcome_without_room(tmp_path, small):
    small(projects=1)

    async def run():
        async with installation(tmp_path) as here:
            client, key = here.account(), {"Idempotency-Key": "k"}
            first = await client.post(PROJECTS, json={"name": "p"}, headers=key)
            again = await client.post(PROJECTS, json={"name": "p"}, headers=key)
            assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
            assert again.headers["Idempotency-Replayed"] == "true"
            refused(await client.post(PROJECTS, json={"name": "p"}, headers={"Idempotency-Key": "l"}))

    asyncio.run(run())


def test_the_owner_pays_for_what_others_write_and_they_do_not_learn_what_the_owner_has(tmp_path, small):
    small(files=1)

    async def run():
        async with installation(tmp_path) as here:
            owner, editor, stranger = await here.registered("owner"), await here.registered("editor"), None
            editor = here.account(Tier.ENTERPRISE, editor.id)
            stranger = here.account()
            id_ = await project(owner)
            member = f"{PROJECTS}/{id_}/collaborators/{editor.id}"
            written(await owner.put(member, json={"role": "editor"}))
            written(await put(editor, id_, "a", "x"))
            answer = await put(editor, id_, "b", "x")
            refused(answer, "owner")
            assert not any(figure in answer.json()["detail"] for figure in ("1", "free"))
            refused(await put(owner, id_, "b", "x"), "1 files", "tier free")
            hidden = await put(stranger, id_, "b", "x")
            assert (hidden.status_code, hidden.json()["code"]) == (404, "project_not_found")
            own = await project(editor)
            for path in ("a", "b"):  # the editor's own tier has no quotas
                written(await put(editor, own, path, "x"))

    asyncio.run(run())


def test_a_project_has_only_so_many_collaborators(tmp_path, small):
    small(collaborators=2)

    async def run():
        async with installation(tmp_path) as here:
            owner = await here.registered("owner")
            people = [await here.registered(f"person{n}") for n in range(4)]
            id_ = await project(owner)
            urls = [f"{PROJECTS}/{id_}/collaborators/{person.id}" for person in people]
            written(await owner.put(urls[0], json={"role": "maintainer"}))
            written(await owner.put(urls[1], json={"role": "viewer"}))
            refused(await owner.put(urls[2], json={"role": "viewer"}), "2 collaborators", "tier free")
            refused(await people[0].put(urls[2], json={"role": "viewer"}), "owner")
            written(await owner.put(urls[1], json={"role": "editor"}))
            assert (await people[1].put(urls[2], json={"role": "viewer"})).json()["code"] == "role_required"
            written(await owner.delete(urls[1]))
            added = [
                {"type": "collaborator.set", "target": id_, "data": {"accountId": p.id, "role": "viewer"}}
                for p in people[2:]
            ]
            results = (await owner.post(COMMANDS, **batch(*added))).json()["results"]
            assert [result["status"] for result in results] == ["accepted", "refused"]

    asyncio.run(run())


@pytest.mark.parametrize("apart", [False, True], ids=["one project", "several projects"])
def test_collaborators_that_are_added_at_once_do_not_pass_the_quota(tmp_path, small, apart):
    small(collaborators=3)

    async def run():
        async with installation(tmp_path) as here:
            owner = await here.registered("owner")
            people = [(await here.registered(f"person{n}")).id for n in range(12)]
            projects = [await project(owner) for _ in range(2 if apart else 1)]
            adding = [
                owner.put(f"{PROJECTS}/{id_}/collaborators/{person}", json={"role": "viewer"})
                for person in people
                for id_ in projects
            ]
            answers = await asyncio.gather(*adding)
            assert sum(answer.is_success for answer in answers) == 3 * len(projects)
            assert {answer.status_code for answer in answers if not answer.is_success} == {403}
            for id_ in projects:
                shown = (await owner.get(f"{PROJECTS}/{id_}")).json()
                assert len(shown["collaborators"]) == 3

    asyncio.run(run())


@pytest.mark.parametrize("tier", [Tier.FREE, Tier.ENTERPRISE])
def test_quotas_may_be_switched_off_and_services_and_enterprises_have_none(tmp_path, small, tier):
    small(projects=0)

    async def run():
        async with installation(tmp_path) as here:
            if tier is Tier.ENTERPRISE:
                await project(here.account(tier))
                await project(here.app.client)
            refused(await here.account(Tier.FREE).post(PROJECTS, json={"name": "p"}))

    async def run_without():
        def adapt(_, api):
            return replace(api, gateway=replace(api.gateway, quotas=False), limits=unlimited())

        async with whole_application(tmp_path, adapt) as app:
            here = Installation(app)
            client = await here.registered("ada")
            await project(client)
            shown = (await client.get(ME)).json()["quotas"]
            assert shown["projects"] == {"used": 1, "limit": None}

    asyncio.run(run())
    asyncio.run(run_without())


def test_your_account_shows_what_you_own_and_may_own(tmp_path):
    async def run():
        async with installation(tmp_path) as here:
            client, other = await here.registered("ada"), await here.registered("bob")
            query = {"query": "{ me { id quotas { projects { used limit } bytes { used limit } } } }"}
            before = await client.get(ME)
            assert before.json()["quotas"] == {
                "projects": {"used": 0, "limit": 100},
                "files": {"used": 0, "limit": 10_000},
                "bytes": {"used": 0, "limit": 1_073_741_824},
                "collaborators": {"used": 0, "limit": 20},
            }
            id_ = await project(client)
            written(await put(client, id_, "a", "x" * 7))
            written(await put(client, id_, "b", "x" * 5))
            written(await client.put(f"{PROJECTS}/{id_}/collaborators/{other.id}", json={"role": "editor"}))
            stale = await client.get(ME, headers={"If-None-Match": before.headers["ETag"]})
            assert stale.status_code == 200
            used = {name: quota["used"] for name, quota in stale.json()["quotas"].items()}
            assert used == {"projects": 1, "files": 2, "bytes": 12, "collaborators": 1}
            same = await client.get(ME, headers={"If-None-Match": stale.headers["ETag"]})
            assert same.status_code == 304
            me = (await client.post("/graphql", json=query)).json()["data"]["me"]
            assert me["quotas"] == {
                "projects": {"used": 1, "limit": 100},
                "bytes": {"used": 12, "limit": 1_073_741_824},
            }
            pro = here.account(Tier.PRO, client.id)
            me = (await pro.post("/graphql", json=query)).json()["data"]["me"]
            assert me["quotas"]["bytes"] == {"used": 12, "limit": 10_737_418_240}
            await client.patch(f"{PROJECTS}/{id_}", json={"visibility": "public"})
            about = {"query": f'{{ account(id: "{client.id}") {{ name quotas {{ files {{ used }} }} }} }}'}
            seen = (await other.post("/graphql", json=about)).json()["data"]["account"]
            assert seen == {"name": "ada", "quotas": None}
            assert "quotas" not in (await other.get(f"/api/v1/accounts/{client.id}")).json()

    asyncio.run(run())
