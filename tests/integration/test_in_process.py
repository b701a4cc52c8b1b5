"""The application over real parts in this process, where two requests can be made to meet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from codepark.embedded import Embedded
from codepark.importing.run import import_history
from codepark.importing.sample import SampleHistory
from codepark.importing.sinks import LocalSink
from codepark.server import build_api
from codepark.settings import Settings
from codepark.shared_memory import SharedMemory
from domain.actor import SERVICE
from projections.store import Change, Checkpoint
from read_api.app import create_app


@asynccontextmanager
async def application(path) -> AsyncIterator[tuple[Embedded, httpx.AsyncClient]]:
    settings = Settings(data=path / "data")
    parts = Embedded(settings)
    shared = SharedMemory(settings, parts.log)
    try:
        loop = asyncio.get_running_loop()
        api = build_api(parts, shared)
        parts.progress.bind(loop)
        api.hub.start(loop)
        parts.start()
        token = api.tokens.issue(SERVICE.id, SERVICE.roles)
        transport = httpx.ASGITransport(create_app(api))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield parts, client
        api.passwords.close()
    finally:
        shared.close()
        parts.close()


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
