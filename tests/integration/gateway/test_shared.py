"""Several servers count together in Redis; without it each counts alone, more strictly, until it returns."""

import re
import time
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from domain.actor import Tier
from tests.support.cluster import private_valkey
from tests.support.cluster_server import SECRET
from tests.support.limited import LIMITED, any_address, from_address, somebody, statuses
from tests.support.server import eventually, serving
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


def metric(server, name):
    metric = re.search(rf"^{name} (\S+)$", httpx.get(f"{server.url}/metrics").text, re.MULTILINE)
    return float(metric[1])


@pytest.fixture
def pair(tmp_path, redis_url):
    """Two servers with one Redis; their logs have nothing to do with each other."""
    more = LIMITED | {
        "CODEPARK_REDIS_URL": redis_url,
        "CODEPARK_SECRET_KEY": SECRET,
        "CODEPARK_TOPIC_PREFIX": f"pair-{uuid4().hex[:12]}.",
    }
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(tmp_path / name, more)) for name in ("one", "two")]
        for server in servers:
            (server.data / "secret.key").write_text(SECRET)
        yield servers


def test_two_servers_count_together(pair):
    address, token = any_address(), somebody(pair[0], Tier.FREE)
    began = time.monotonic()
    received = [status for server in pair for status in statuses(from_address(server, address), 12)]
    assert 10 <= received.count(200) <= 10 + (time.monotonic() - began) + 1
    began = time.monotonic()
    received = [status for server in pair for status in statuses(from_address(server, token=token), 30)]
    assert 30 <= received.count(200) <= 30 + 5 * (time.monotonic() - began) + 1


def test_sockets_of_two_servers_are_counted_together(pair):
    address = any_address()
    with ExitStack() as stack:
        for server in [*pair, *pair, pair[0]]:
            client = stack.enter_context(from_address(server, address))
            opened = stack.enter_context(client.stream("GET", "/api/v1/events/stream"))
            assert opened.status_code == 200
        client = stack.enter_context(from_address(pair[1], address))
        with client.stream("GET", "/api/v1/events/stream") as sixth:
            assert sixth.status_code == 429


def test_redis_goes_away_and_comes_back(tmp_path):
    with private_valkey(tmp_path / "valkey") as valkey:
        more = LIMITED | {"CODEPARK_REDIS_URL": valkey.address}
        with serving(tmp_path / "data", more) as server:
            with from_address(server) as client:
                assert client.get("/api/v1/projects").headers["ratelimit-policy"] == '"default";q=60;w=60'
                assert metric(server, "codepark_limiter_away") == 0
                valkey.kill()
                alone = client.get("/api/v1/projects")
                assert alone.status_code == 200
                assert alone.headers["ratelimit-policy"] == '"default";q=30;w=60', "half"
                assert metric(server, "codepark_limiter_away") == 1
                assert metric(server, "codepark_limiter_failures_total") >= 1
                assert metric(server, "codepark_limiter_local_decisions_total") >= 1
            began = time.monotonic()
            received = statuses(from_address(server), 12)
            assert 5 <= received.count(200) <= 5 + (time.monotonic() - began) / 2 + 1
            valkey.start()
            eventually(lambda: metric(server, "codepark_limiter_away") == 0)
            with from_address(server) as client:
                assert client.get("/api/v1/projects").headers["ratelimit-policy"] == '"default";q=60;w=60'


def test_a_redis_that_hangs_delays_nobody_for_long(tmp_path):
    with private_valkey(tmp_path / "valkey") as valkey:
        more = LIMITED | {"CODEPARK_REDIS_URL": valkey.address, "CODEPARK_LIMITER_SECONDS": "0.05"}
        with serving(tmp_path / "data", more) as server, from_address(server) as client:
            client.get("/api/v1/projects")
            valkey.pause()
            try:
                answers = [client.get("/api/v1/projects") for _ in range(4)]
                assert [answer.status_code for answer in answers] == [200] * 4
                assert max(answer.elapsed.total_seconds() for answer in answers) < stretched(1.0)
            finally:
                valkey.resume()
            eventually(lambda: metric(server, "codepark_limiter_away") == 0)
