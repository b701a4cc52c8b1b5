"""What the HTTP surface is wired with, in each profile."""

import asyncio
import json
import threading
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from codepark import composition
from codepark.cache_and_channel import CacheAndChannel
from codepark.composition import build_api, build_eraser, build_identity, build_mailer
from codepark.operations import OPERATIONS
from codepark.settings import RedisUrls, Settings
from domain.actor import SERVICE
from read_api.auth.attempts import MemoryAttempts, RedisAttempts
from read_api.auth.mail import FileMailer, SmtpMailer
from read_api.realtime.hub import Hub
from tests.support.embedded import create_project, started
from tests.support.time_scale import stretched

NOWHERE = "redis://127.0.0.1:1/"
REDIS = RedisUrls(cache=NOWHERE, sessions=NOWHERE, queue=NOWHERE, pubsub=NOWHERE)


@pytest.fixture
def profile(tmp_path):
    with started(tmp_path / "data", redis_url=NOWHERE) as profile:
        yield profile


@pytest.fixture
def wired(profile):
    """Return a profile's surface, and close what it was wired with."""
    opened = []

    def wire(profile=profile):
        shared, hub = CacheAndChannel(profile.settings, profile.logs), Hub(profile.logs)
        opened.append(shared)
        return build_api(profile, shared, hub, build_eraser(profile, shared, hub))

    yield wire
    for shared in opened:
        shared.close()


def test_mail_becomes_files_unless_a_server_takes_it(tmp_path):
    assert isinstance(build_mailer(Settings(data=tmp_path)), FileMailer)
    assert isinstance(build_mailer(Settings(data=tmp_path, smtp_url="smtp://mail")), SmtpMailer)


def test_attempts_are_counted_where_the_other_processes_count(profile, tmp_path):
    alone = build_identity(profile)
    assert isinstance(alone.attempts, MemoryAttempts)
    with started(tmp_path / "other", redis=REDIS) as other:
        shared = build_identity(other)
        assert isinstance(shared.attempts, RedisAttempts)
        asyncio.run(shared.close())


def test_the_embedded_profile_answers_in_the_loop_from_its_own_models(wired, profile):
    api = wired()
    assert (api.in_threads, api.read_latest, api.changed_resource) == (False, True, None)
    assert (api.queries, api.bus) == (profile.queries, profile.bus)
    assert api.models == profile.main_models
    assert api.not_ready() == []


def test_a_node_answers_in_threads_and_its_commands_from_its_replica(wired, profile, monkeypatch):
    monkeypatch.setattr(composition, "Node", object)  # as if the profile were one of several nodes
    profile.changed_resource = "from the replica"
    api = wired()
    assert (api.in_threads, api.read_latest, api.changed_resource) == (True, False, "from the replica")


def test_every_operation_runs_on_the_profile(wired, profile):
    api = wired()
    assert set(api.operations) == set(OPERATIONS)
    create_project(profile)
    assert api.operations["tip"]({}) == {"sequences": {"0": 1}}


def test_the_metrics_are_those_of_the_profile(wired, profile):
    api = wired()
    create_project(profile)
    assert b"codepark_log_sequence 1.0" in asyncio.run(api.metrics.write(""))[0]


def test_the_past_and_the_published_events_are_of_its_log(wired, profile):
    api = wired()
    project = create_project(profile, "engine")
    past = asyncio.run(api.past.ask("ada", project, 1, lambda q: q.projects.get(project, SERVICE)))
    assert past["name"] == "engine"
    event = api.published(profile.log, profile.log.read(0, 1)[0])
    assert json.loads(event.json)["data"]["project"] == event.home != project
    assert api.published_again(event) == event


def test_repeated_commands_have_places_apart_from_questions_about_the_past(wired, profile):
    api, project, occupied = wired(), create_project(profile, "engine"), threading.Event()

    async def run():
        waiting = [
            asyncio.create_task(api.past.run(caller, lambda _: occupied.wait(stretched(30))))
            for caller in ("a", "b", "c")
        ]
        await asyncio.sleep(0)
        try:
            return await api.replays.ask("a", project, 1, lambda q: q.projects.get(project, SERVICE))
        finally:
            occupied.set()
            await asyncio.gather(*waiting)

    assert asyncio.run(run())["name"] == "engine"


def test_an_erasure_is_waited_for_in_a_thread(profile, wired):
    shared, hub = CacheAndChannel(profile.settings, profile.logs), Hub(profile.logs)
    calls = []
    eraser = SimpleNamespace(wait=lambda *arguments: calls.append(arguments) or True)
    api = build_api(profile, shared, hub, eraser)
    assert asyncio.run(api.erased("an account")) is True
    assert calls == [("an account", composition._ERASING_SECONDS)]
    shared.close()


def test_the_topics_are_described_where_there_is_kafka(wired):
    document = json.loads(wired().asyncapi("http://park.example:8080"))
    assert document["asyncapi"].startswith("3.")
    assert document["servers"]["api"]["host"] == "park.example:8080"


def test_the_address_of_the_settings_is_that_of_the_events_document(profile, wired):
    profile.settings = replace(profile.settings, public_url="https://codepark.example")
    servers = json.loads(wired().asyncapi("http://10.0.0.7:3000"))["servers"]
    assert (servers["api"]["host"], servers["live"]["protocol"]) == ("codepark.example", "wss")
