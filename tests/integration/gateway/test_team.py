"""Several processes on one port: they count together, one that dies is replaced, and all end in order."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from uuid import uuid4

import httpx
import psutil
import pytest

from tests.support.installation import Installation
from tests.support.limited import LIMITED, any_address
from tests.support.server import eventually, free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def team(tmp_path, kafka, mongodb_uri, redis_url):
    installation = Installation(
        tmp_path / "team",
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=f"team-{uuid4().hex[:12]}.",
        **LIMITED,
    )
    with installation:
        installation.start_worker()
        node = installation.node(with_address=False)
        node.arguments = ["serve", "--workers", "2"]
        yield node.start()


def members(node):
    """Return the processes that serve, by the folder of each."""
    pids = {}
    for process in psutil.Process(node.identity.pid).children():
        with suppress(psutil.Error):
            if match := re.search(r"serve .*/(worker-\d)", " ".join(process.cmdline())):
                pids[match[1]] = process.pid
    return pids


def answered(node):
    """Return how many requests for announcements were answered, by status, as the metrics of the port say."""
    text = httpx.get(f"{node.url}/metrics").text
    counted = re.findall(
        r'^http_requests_total\{.*route="/api/v1/announcements",status="(\d+)"\} (\S+)$', text, re.MULTILINE
    )
    return Counter({int(status): int(float(count)) for status, count in counted})


def test_they_count_together_and_one_that_dies_is_replaced(team):
    eventually(lambda: len(members(team)) == 2)
    before = members(team)
    address, statuses = any_address(), []
    began = time.monotonic()
    for _ in range(30):  # each on a connection of its own, which the kernel gives to one of them
        headers = {"X-Forwarded-For": address}
        statuses.append(httpx.get(f"{team.url}/api/v1/announcements", headers=headers).status_code)
    assert 10 <= statuses.count(200) <= 10 + (time.monotonic() - began) + 1
    assert [answered(team) for _ in range(6)] == [Counter(statuses)] * 6, "whichever of them is asked"
    psutil.Process(before["worker-1"]).kill()
    eventually(lambda: members(team).get("worker-1") not in (None, before["worker-1"]), seconds=30)
    assert members(team)["worker-2"] == before["worker-2"]
    team.wait_ready()


def test_in_the_embedded_profile_there_is_one(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CODEPARK_")}
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "codepark.cli",
            "serve",
            "--workers",
            "2",
            "--data",
            str(tmp_path),
            "--port",
            str(free_port()),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "--workers takes more than 1 in the cluster profile only" in ended.stderr
