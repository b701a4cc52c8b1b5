"""The application over real parts in this process, where two requests can be made to meet."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest
from msgspec.structs import replace

from codepark.cache_and_channel import CacheAndChannel
from codepark.composition import build_api, build_eraser
from codepark.history_import.run import import_history
from codepark.history_import.sample import SampleHistory
from codepark.history_import.sinks import LocalSink
from codepark.profiles.embedded import EmbeddedProfile
from codepark.settings import Settings
from commands.bus import accepted
from commands.intake import CommandMetadata
from commands.table.projects import ProjectInput
from domain.actor import SERVICE
from projections.store import Change, Checkpoint
from read_api.app import create_app
from read_api.gateway.limits.limits import Limits
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.realtime.hub import Hub
from tests.support.time_scale import stretched


def unlimited():
    """Return limits that let everything through."""
    return Limits(MemoryLimiter(), tiers=False, sign_in=False)


@asynccontextmanager
async def application(path, **changes) -> AsyncIterator[tuple[EmbeddedProfile, httpx.AsyncClient]]:
    settings = Settings(data=path / "data")
    parts = EmbeddedProfile(settings)
    shared = CacheAndChannel(settings, parts.logs)
    try:
        loop = asyncio.get_running_loop()
        hub = Hub(parts.logs)
        eraser = build_eraser(parts, shared, hub)
        api = replace(build_api(parts, shared, hub, eraser), **changes)
        parts.progress.bind(loop)
        api.hub.start(loop)
        parts.start()
        token = api.identity.tokens.issue_access(SERVICE.id, SERVICE.roles, operator=True)
        transport = httpx.ASGITransport(create_app(api))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield parts, client
        await api.identity.close()
        eraser.close()
    finally:
        shared.close()
        parts.close()


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


async def make_project(parts):
    """Start a project past the HTTP surface, and return its id and the position behind it."""
    request = CommandMetadata(actor=SERVICE)
    submission = parts.intake.submission("project.create", ProjectInput(name="p"), request)
    done = accepted((await parts.bus.execute([submission]))[0])
    return done.stream.removeprefix("project-"), done.position.token()


@pytest.mark.parametrize("with_position", [True, False])
def test_a_query_waits_until_the_read_model_includes_what_was_acknowledged(tmp_path, with_position):
    """G5: the projection is held; without the wait the answer would be that there is no such project."""

    async def run():
        async with application(tmp_path) as (parts, client):
            with held(parts.runners[0]) as release:
                project, position = await make_project(parts)
                headers = {"CodePark-After": position} if with_position else {}
                asked = asyncio.create_task(client.get(f"/api/v1/projects/{project}", headers=headers))
                await asyncio.wait({asked}, timeout=0.05)
                assert not asked.done()
                release.set()
                assert (await asked).status_code == 200

    asyncio.run(run())


def test_a_subscription_waits_until_the_read_model_tells_who_may_see_its_projects(tmp_path):
    """G7: asked too early, a new project would stay out of sight for as long as the subscription lasts."""

    async def run():
        async with application(tmp_path) as (parts, client):
            with held(parts.runners[0]) as release:
                project, position = await make_project(parts)
                where = {"projects": project, "after": position}
                asked = asyncio.create_task(client.head("/api/v1/events/stream", params=where))
                await asyncio.wait({asked}, timeout=0.05)
                assert not asked.done()
                release.set()
                assert (await asked).status_code == 200

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/api/v1/projects/{}", "/api/v1/projects", "/api/v1/projects/{}/insights"])
def test_a_query_waits_for_the_insights_of_what_was_acknowledged(tmp_path, path):
    """G5: the insights are held; of another project they are not waited for."""

    async def run():
        async with application(tmp_path) as (parts, client):
            other = (await client.post("/api/v1/projects", json={"name": "other"})).json()["id"]
            project, _ = await make_project(parts)
            with held(parts.runners[1]) as release:
                content = {"content": "def f(a):\n    return a or 1\n"}
                written = await client.put(f"/api/v1/projects/{project}/files/a.py", json=content)
                assert written.status_code == 201
                asked = asyncio.create_task(client.get(path.format(project)))
                assert (await client.get(f"/api/v1/projects/{other}")).status_code == 200
                await asyncio.wait({asked}, timeout=0.05)
                assert not asked.done()
                release.set()
                body = (await asked).json()
            shown = next(item for item in body.get("items", [body]) if item.get("id", project) == project)
            assert shown.get("aiInsights", shown)["complexity"] == 2

    asyncio.run(run())


def test_events_of_a_project_that_the_read_model_has_not_seen_are_waited_for(tmp_path):
    """G7: judged too early, they would be passed by, and the position with them."""

    async def run():
        async with application(tmp_path, read_latest=False) as (parts, client):
            with held(parts.runners[0]) as release:
                made = asyncio.create_task(
                    client.post("/api/v1/projects", json={"name": "p", "visibility": "public"})
                )
                while parts.log.tip().sequence == 0:
                    await asyncio.wait({made}, timeout=0.01)
                anybody = httpx.AsyncClient(transport=client._transport, base_url="http://test")
                asked = asyncio.create_task(anybody.get("/api/v1/events"))
                await asyncio.wait({asked}, timeout=0.05)
                assert not asked.done()
                release.set()
                assert [item["type"] for item in (await asked).json()["items"]] == ["project.created"]
                await made

    asyncio.run(run())


def test_a_query_that_waits_too_long_is_refused_rather_than_stale(tmp_path):
    """G5; a command that is accepted meanwhile says so with its refusal."""

    async def run():
        async with application(tmp_path, wait_seconds=0.1) as (parts, client):
            with held(parts.runners[0]):
                project, position = await make_project(parts)
                for path in (f"/api/v1/projects/{project}", "/api/v1/projects"):
                    answer = await client.get(path, headers={"CodePark-After": position})
                    assert (answer.status_code, answer.json()["code"]) == (503, "projection_unavailable")
                    assert answer.headers["Retry-After"]
                late = await client.post(
                    "/api/v1/projects", json={"name": "late"}, headers={"Idempotency-Key": "k"}
                )
                assert late.status_code == 503
                assert late.headers["CodePark-Command"]
            await parts.progress.wait([model.name for model in parts.models], {0: 2}, stretched(30))
            again = await client.post(
                "/api/v1/projects", json={"name": "late"}, headers={"Idempotency-Key": "k"}
            )
            assert (again.status_code, again.headers["CodePark-Command"]) == (
                201,
                late.headers["CodePark-Command"],
            )
            assert parts.log.tip().sequence == 2

    asyncio.run(run())


def test_the_same_key_twice_at_once_is_told_to_wait(tmp_path):
    """G3: the second request finds the first under way, and later its outcome."""

    async def run():
        async with application(tmp_path) as (parts, client):
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
            assert parts.log.tip().sequence == 1

    asyncio.run(run())


def test_a_query_about_a_blocked_stream_is_refused_rather_than_stale(tmp_path):
    """G5, G8."""

    async def run():
        async with application(tmp_path) as (parts, client):
            made = await client.post("/api/v1/projects", json={"name": "p", "visibility": "public"})
            other = await client.post("/api/v1/projects", json={"name": "other", "visibility": "public"})
            path = f"/api/v1/projects/{made.json()['id']}"
            blocked = Checkpoint(sequence=2, blocked=frozenset({f"project-{made.json()['id']}"}))
            for runner in parts.runners[:1]:
                with runner.paused():
                    parts.store.apply([Change(model="projects", writes=[], checkpoint=blocked)])
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
        async with application(tmp_path) as (parts, client):
            source = SampleHistory()
            for _ in range(2):
                done = await asyncio.to_thread(
                    import_history, source, LocalSink(parts, SERVICE), source.name, public=True
                )
                assert (done.commits, done.files) == (3, 3)
            project = (await client.get(f"/api/v1/projects/{done.project_id}")).json()
            assert (project["visibility"], len(project["files"])) == ("public", 3)
            assert project["aiInsights"]["complexity"] > 1
            commits = (await client.get(f"/api/v1/projects/{done.project_id}/commits")).json()
            assert [item["version"] for item in commits["items"]] == [3, 2, 1]

    asyncio.run(run())
