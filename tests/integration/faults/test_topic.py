"""A topic that could lose history is refused with a clear message, by every program that meets it."""

import asyncio
import os
import subprocess
import sys

import pytest

from commands.kafka.protocol.topics import LOG_CONFIG, Topics, ensure_log
from commands.log import LogCorruptError
from tests.support.server import eventually
from tests.support.time_scale import stretched

from .local import running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WRONG = {
    "retention.ms": "604800000",
    "cleanup.policy": "compact",
    "message.timestamp.type": "CreateTime",
    "unclean.leader.election.enable": "true",
}


async def make(settings, partitions=1, **config):
    async with Topics(settings) as topics:
        await topics.ensure(settings.topic, partitions, LOG_CONFIG | config)


def start_node(settings, folder):
    with running(settings, folder):
        pass


@pytest.mark.parametrize("name", WRONG)
def test_a_topic_with_a_wrong_setting_is_refused(settings, tmp_path, name):
    asyncio.run(make(settings, **{name: WRONG[name]}))
    with pytest.raises(LogCorruptError, match=f"could lose history: .*{name} is .*{WRONG[name]}"):
        start_node(settings, tmp_path)


def test_a_topic_with_another_number_of_partitions_is_refused(settings, tmp_path):
    asyncio.run(make(settings, 3))
    with pytest.raises(LogCorruptError, match="has 3 partitions, and CODEPARK_PARTITIONS is 1"):
        start_node(settings, tmp_path)


def test_the_logs_own_topic_is_accepted_again(settings):
    assert asyncio.run(ensure_log(settings)) == 1
    assert asyncio.run(ensure_log(settings)) == 1


def test_doctor_and_topics_create_refuse_a_topic_that_could_lose_history(install, settings):
    asyncio.run(make(settings, **{"retention.ms": WRONG["retention.ms"]}))
    installation = install()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CODEPARK_")}
    (installation.folder / "data").mkdir()
    environment = inherited | installation.environment | {"CODEPARK_DATA": str(installation.folder / "data")}
    for command in (["topics", "create"], ["doctor"]):
        result = subprocess.run(
            [sys.executable, "-m", "codepark.cli", *command],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=stretched(90),
        )
        output = result.stdout + result.stderr
        assert result.returncode == 1, output
        assert "could lose history" in output
        assert "Traceback" not in output


def test_a_node_reports_such_a_topic_and_accepts_no_command(install, settings):
    asyncio.run(make(settings, **{"retention.ms": WRONG["retention.ms"]}))
    node = install().node()
    node.launch()
    node.wait_live()
    eventually(lambda: "could lose history" in node.printed)
    with node.client() as client:
        answer = client.post("/api/v1/projects", json={"name": "p"})
        assert answer.status_code == 503
        assert answer.json()["code"] == "log_unavailable"
