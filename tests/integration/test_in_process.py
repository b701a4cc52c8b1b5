"""The application over a real profile in this process, where two requests can be made to meet."""

import asyncio
import threading
import time
from contextlib import contextmanager
from uuid import uuid4

import pytest

from codepark.history_import.run import import_history
from codepark.history_import.sample import SampleHistory
from codepark.history_import.sinks import LocalSink
from commands.bus import accepted
from commands.intake import CommandMetadata
from commands.table.projects import ProjectInput
from domain.actor import SERVICE
from projections.store import Change, Checkpoint
from tests.support.application import application, whole_application
from tests.support.time_scale import stretched


@contextmanager
def held(runner):
    """Keep a runner from projecting, from a thread of its own, until the block ends or `release` is set."""
    taken, release = threading.Event(), threading.Event()

    def hold():
        with runner.paused():
            taken.set()
            release.wait(stretched(30))

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(stretched(10))
    try:
        yield release
    finally:
        release.set()
        thread.join(stretched(10))


def created_projects(profile):
    """Return how many projects the log has; it has events about the operator's token, too."""
    return [record.topic for record in profile.log.read(0, 100)].count("project.created")


async def make_project(profile):
    """Create a project without the HTTP surface, and return its id and the position after it."""
    request = CommandMetadata(actor=SERVICE)
    submission = profile.intake.submission("project.create", ProjectInput(name="p"), request)
    command = accepted((await profile.bus.execute([submission]))[0])
    return command.stream.removeprefix("project-"), command.position.token()


@pytest.mark.parametrize("with_position", [True, False])
def test_a_query_waits_until_the_read_model_includes_what_was_acknowledged(tmp_path, with_position):
    """G5: the projection is held; without the wait the answer would be that there is no such project."""

    async def run():
        async with application(tmp_path) as (profile, client):
            with held(profile.runners[0]) as release:
                project, position = await make_project(profile)
                headers = {"CodePark-After": position} if with_position else {}
                request = asyncio.create_task(client.get(f"/api/v1/projects/{project}", headers=headers))
                await asyncio.wait({request}, timeout=0.05)
                assert not request.done()
                release.set()
                assert (await request).status_code == 200

    asyncio.run(run())


def test_a_subscription_waits_until_the_read_model_tells_who_may_see_its_projects(tmp_path):
    """G7: asked too early, a new project would stay out of sight for as long as the subscription lasts."""

    async def run():
        async with application(tmp_path) as (profile, client):
            with held(profile.runners[0]) as release:
                project, position = await make_project(profile)
                where = {"projects": project, "after": position}
                request = asyncio.create_task(client.head("/api/v1/events/stream", params=where))
                await asyncio.wait({request}, timeout=0.05)
                assert not request.done()
                release.set()
                assert (await request).status_code == 200

    asyncio.run(run())


CODE = {"content": "def f(a):\n    return a or 1\n"}


def test_only_insights_with_a_position_wait_for_insights(tmp_path):
    """G5: the insights are held; of another project they are not waited for."""

    async def run():
        async with application(tmp_path) as (profile, client):
            other = (await client.post("/api/v1/projects", json={"name": "other"})).json()["id"]
            project, _ = await make_project(profile)
            with held(profile.runners[1]) as release:
                written = await client.put(f"/api/v1/projects/{project}/files/a.py", json=CODE)
                assert written.status_code == 201
                after = {"CodePark-After": written.headers["CodePark-Position"]}
                insights = f"/api/v1/projects/{project}/insights"
                request = asyncio.create_task(client.get(insights, headers=after))
                for path in (f"/api/v1/projects/{project}", "/api/v1/projects"):
                    body = (await client.get(path, headers=after)).json()
                    (shown,) = [each for each in body.get("items", [body]) if each["id"] == project]
                    assert (shown["aiInsights"]["complexity"], shown["insightsPending"]) == (0, True)
                shown = (await client.get(insights)).json()
                assert (shown["files"], shown["insightsPending"]) == (0, True)
                answer = await client.get(f"/api/v1/projects/{other}/insights", headers=after)
                assert answer.json()["insightsPending"] is False
                await asyncio.wait({request}, timeout=0.05)
                assert not request.done()
                release.set()
                body = (await request).json()
            assert (body["complexity"], body["insightsPending"]) == (2, False)
            shown = (await client.get(f"/api/v1/projects/{project}", headers=after)).json()
            assert (shown["aiInsights"]["complexity"], shown["insightsPending"]) == (2, False)

    asyncio.run(run())


def test_insights_that_are_not_there_in_time_are_refused(tmp_path):
    async def run():
        async with application(tmp_path, wait_seconds=0.1) as (profile, client):
            project, _ = await make_project(profile)
            with held(profile.runners[1]):
                written = await client.put(f"/api/v1/projects/{project}/files/a.py", json=CODE)
                after = {"CodePark-After": written.headers["CodePark-Position"]}
                answer = await client.get(f"/api/v1/projects/{project}/insights", headers=after)
                assert (answer.status_code, answer.json()["code"]) == (503, "projection_unavailable")
                assert answer.headers["Retry-After"]

    asyncio.run(run())


def test_answers_to_commands_do_not_wait_for_insights(tmp_path):
    async def run():
        async with application(tmp_path) as (profile, client):
            project, _ = await make_project(profile)
            path = f"/api/v1/projects/{project}"
            with held(profile.runners[1]):
                await client.put(f"{path}/files/a.py", json=CODE)
                answer = await client.patch(path, json={"name": "renamed"})
                assert (answer.status_code, answer.json()["insightsPending"]) == (200, True)
                query = (
                    'mutation ($p: ID!) { updateProject(projectId: $p, input: {name: "again"})'
                    " { project { name insightsPending insights { insightsPending } } } }"
                )
                body = {"query": query, "variables": {"p": project}}
                answer = await client.post("/graphql", json=body)
                shown = answer.json()["data"]["updateProject"]["project"]
                pending = {"insightsPending": True}
                assert shown == {"name": "again", **pending, "insights": pending}

    asyncio.run(run())


def test_graphql_shows_the_last_insights(tmp_path):
    async def run():
        async with application(tmp_path) as (profile, client):
            project, _ = await make_project(profile)
            fields = "insightsPending aiInsights { complexity } insights { complexity insightsPending }"
            query = (
                f"query ($p: ID!) {{ project(id: $p) {{ {fields} }} projects {{ {fields} }}"
                f" projectsConnection {{ nodes {{ {fields} }} }}"
                " insights(projectId: $p) { complexity insightsPending } }"
            )
            question = {"query": query, "variables": {"p": project}}

            async def shown():
                data = (await client.post("/graphql", json=question)).json()["data"]
                pages = [data["project"], *data["projects"], *data["projectsConnection"]["nodes"]]
                states = {(each["insightsPending"], each["insights"]["insightsPending"]) for each in pages}
                return states | {(data["insights"]["insightsPending"],) * 2}

            assert await shown() == {(False, False)}
            with held(profile.runners[1]):
                await client.put(f"/api/v1/projects/{project}/files/a.py", json=CODE)
                assert await shown() == {(True, True)}
            await profile.progress.wait(("insights",), profile.logs.tip().sequences, stretched(30))
            assert await shown() == {(False, False)}

    asyncio.run(run())


def test_the_entity_tag_changes_when_insights_are_being_made_and_when_they_are_there(tmp_path):
    async def run():
        async with application(tmp_path) as (profile, client):
            project, _ = await make_project(profile)
            path = f"/api/v1/projects/{project}"
            await client.put(f"{path}/files/a.txt", json={"content": "text"})
            await profile.progress.wait(("insights",), profile.logs.tip().sequences, stretched(30))

            async def state(tag=""):
                answer = await client.get(path, headers={"If-None-Match": tag} if tag else {})
                return answer.status_code, answer.headers["ETag"]

            _, before = await state()
            assert await state(before) == (304, before)
            with held(profile.runners[1]):
                await client.delete(f"{path}/files/a.txt")
                status, pending = await state(before)
                assert (status, pending != before) == (200, True)
                assert await state(pending) == (304, pending)
            await profile.progress.wait(("insights",), profile.logs.tip().sequences, stretched(30))
            status, after = await state(pending)
            assert (status, after != pending) == (200, True)
            assert await state(after) == (304, after)

    asyncio.run(run())


def test_files_that_never_end_are_in_nobodys_way(tmp_path):
    """Comments that open and never close take the analyser's library a time quadratic in them."""

    async def run():
        async with application(tmp_path, wait_seconds=stretched(60)) as (_, client):
            ids = []
            for name in ("hostile", "other"):
                created = await client.post("/api/v1/projects", json={"name": name})
                ids.append(created.json()["id"])
            hostile, other = (f"/api/v1/projects/{id_}" for id_ in ids)
            commit = {
                "message": "m",
                "author": {"name": "A"},
                "authoredAt": "2024-05-01T10:00:00Z",
                "changes": [
                    {"path": f"{number}.c", "status": "A", "content": "/*\n" * (33_000 + number)}
                    for number in range(3)
                ],
            }
            recorded = await client.post(f"{hostile}/commits", json=commit)
            assert recorded.status_code == 201
            began = time.monotonic()
            listed = (await client.get("/api/v1/projects")).json()["items"]
            assert [item["insightsPending"] for item in listed if item["id"] in ids].count(True) == 1
            assert (await client.patch(other, json={"name": "renamed"})).status_code == 200
            written = await client.put(f"{other}/files/a.py", json=CODE)
            assert time.monotonic() - began < stretched(1.0)
            after = {"CodePark-After": written.headers["CodePark-Position"]}
            shown = (await client.get(f"{other}/insights", headers=after)).json()
            assert (shown["complexity"], shown["insightsPending"]) == (2, False)
            after = {"CodePark-After": recorded.headers["CodePark-Position"]}
            shown = (await client.get(f"{hostile}/insights", headers=after)).json()
            assert {entry["reason"] for entry in shown["leftOut"]} == {"tooSlow"}, shown
            assert (shown["files"], shown["filesLeftOut"], shown["insightsPending"]) == (3, 3, False)

    asyncio.run(run())


def test_events_of_a_project_that_the_read_model_has_not_seen_are_waited_for(tmp_path):
    """G7: judged too early, they would be passed by, and the position with them."""

    async def run():
        async with whole_application(tmp_path, read_latest=False) as app:
            profile, client, _ = app
            with held(profile.runners[0]) as release:
                creation = asyncio.create_task(
                    client.post("/api/v1/projects", json={"name": "p", "visibility": "public"})
                )
                while profile.log.tip().sequence == 0:
                    await asyncio.wait({creation}, timeout=0.01)
                request = asyncio.create_task(app.anybody().get("/api/v1/events"))
                await asyncio.wait({request}, timeout=0.05)
                assert not request.done()
                release.set()
                assert [item["type"] for item in (await request).json()["items"]] == ["project.created"]
                await creation

    asyncio.run(run())


def test_a_query_that_waits_too_long_is_refused_rather_than_stale(tmp_path):
    """G5; a command that is accepted meanwhile says so with its refusal."""

    async def run():
        async with application(tmp_path, wait_seconds=0.1) as (profile, client):
            with held(profile.runners[0]):
                project, position = await make_project(profile)
                for path in (f"/api/v1/projects/{project}", "/api/v1/projects"):
                    answer = await client.get(path, headers={"CodePark-After": position})
                    assert (answer.status_code, answer.json()["code"]) == (503, "projection_unavailable")
                    assert answer.headers["Retry-After"]
                late = await client.post(
                    "/api/v1/projects", json={"name": "late"}, headers={"Idempotency-Key": "k"}
                )
                assert late.status_code == 503
                assert late.headers["CodePark-Command"]
            names, tip = [model.name for model in profile.models], profile.logs.tip().sequences
            await profile.progress.wait(names, tip, stretched(30))
            again = await client.post(
                "/api/v1/projects", json={"name": "late"}, headers={"Idempotency-Key": "k"}
            )
            assert (again.status_code, again.headers["CodePark-Command"]) == (
                201,
                late.headers["CodePark-Command"],
            )
            assert created_projects(profile) == 2

    asyncio.run(run())


def test_the_same_key_twice_at_once_is_told_to_wait(tmp_path):
    """G3: the second request finds the first under way, and later its outcome."""

    async def run():
        async with application(tmp_path) as (profile, client):
            send = [
                client.post("/api/v1/projects", json={"name": "p"}, headers={"Idempotency-Key": "k"})
                for _ in range(2)
            ]
            answers = sorted(await asyncio.gather(*send), key=lambda answer: answer.status_code)
            assert [answer.status_code for answer in answers] == [201, 409]
            assert answers[1].json()["code"] == "in_flight"
            assert answers[1].headers["Retry-After"]
            assert answers[1].headers["CodePark-Command"] == answers[0].headers["CodePark-Command"]
            again = await client.post(
                "/api/v1/projects", json={"name": "p"}, headers={"Idempotency-Key": "k"}
            )
            assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
            assert created_projects(profile) == 1

    asyncio.run(run())


def test_a_query_about_a_blocked_stream_is_refused_rather_than_stale(tmp_path):
    """G5, G8."""

    async def run():
        async with application(tmp_path) as (profile, client):
            created = await client.post("/api/v1/projects", json={"name": "p", "visibility": "public"})
            other = await client.post("/api/v1/projects", json={"name": "other", "visibility": "public"})
            path = f"/api/v1/projects/{created.json()['id']}"
            tip = profile.log.tip().sequence
            blocked = Checkpoint(sequence=tip, blocked=frozenset({f"project-{created.json()['id']}"}))
            for runner in profile.runners[:1]:
                with runner.paused():
                    profile.store.apply([Change(model="projects", writes=[], checkpoint=blocked)])
                    runner.reload()
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "projection_unavailable")
            assert answer.headers["Retry-After"]
            assert (await client.get(f"/api/v1/projects/{other.json()['id']}")).status_code == 200
            listed = await client.get(
                "/api/v1/projects", headers={"CodePark-After": other.headers["CodePark-Position"]}
            )
            assert listed.status_code == 503
            assert (await client.get("/api/v1/projects")).status_code == 200

    asyncio.run(run())


def test_the_sample_is_a_project_to_look_at(tmp_path):
    """What a demonstration shows where there is no repository."""

    async def run():
        async with application(tmp_path) as (profile, client):
            source = SampleHistory()
            for _ in range(2):
                result = await asyncio.to_thread(
                    import_history, source, LocalSink(profile, SERVICE), source.name, public=True
                )
                assert (result.commits, result.files) == (3, 3)
            await profile.progress.wait(("insights",), profile.logs.tip().sequences, stretched(30))
            project = (await client.get(f"/api/v1/projects/{result.project_id}")).json()
            assert (project["visibility"], len(project["files"])) == ("public", 3)
            assert project["aiInsights"]["complexity"] > 1
            commits = (await client.get(f"/api/v1/projects/{result.project_id}/commits")).json()
            assert [item["version"] for item in commits["items"]] == [3, 2, 1]

    asyncio.run(run())


def test_an_account_that_waits_behind_a_dead_letter_is_refused_and_not_missing(tmp_path):
    account = str(uuid4())
    lookup = f'{{account(id: "{account}") {{id}}}}'

    async def asked(client):
        answer = await client.get(f"/api/v1/accounts/{account}")
        over_graphql = await client.post("/graphql", json={"query": lookup})
        (error,) = over_graphql.json()["errors"]
        return answer.status_code, answer.json()["code"], error["extensions"]["code"]

    async def run():
        async with application(tmp_path) as (profile, client):
            assert await asked(client) == (404, "account_not_found", "account_not_found")
            profile.progress.report({}, {"accounts": frozenset({f"account-{account}"})})
            assert await asked(client) == (503, "projection_unavailable", "projection_unavailable")
            profile.progress.report({}, {"accounts": frozenset()})
            assert await asked(client) == (404, "account_not_found", "account_not_found")

    asyncio.run(run())
