"""Requests are counted by their route; nothing that a client makes up is a label."""

import asyncio

import pytest

from read_api.edge import Edge
from read_api.gateway.limits.limits import Limits
from read_api.gateway.limits.memory import MemoryLimiter
from read_api.gateway.settings import GatewaySettings
from telemetry.instruments import HTTP_REQUESTS, HTTP_SECONDS

PROJECT = "/api/v1/projects/{project_id:str}"
ALLOWED = {"/": ["GET"], PROJECT: ["GET", "PUT"], PROJECT + "/files/{path:str}": ["PUT"], "/live": ["GET"]}


class Application:
    """Answer every request; *started* is set once its answer has begun."""

    def __init__(self, *, status=200, content_type=b"application/json", pause=0.0):
        self.status, self.content_type, self.pause = status, content_type, pause

    async def __call__(self, scope, receive, send):
        headers = [(b"content-type", self.content_type)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await asyncio.sleep(self.pause)
        await send({"type": "http.response.body", "body": b"{}"})


async def ask(application, method, path):
    edge = Edge(application, ALLOWED, GatewaySettings(), Limits(MemoryLimiter()))
    await ask_edge(edge, method, path)


async def ask_edge(edge, method, path):
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }

    async def nothing(*_):
        return None

    await edge(scope, nothing, nothing)


def counted(method, route, status):
    """Return how many requests were counted under these labels, by the counter and by the histogram."""
    labels = {"method": method, "route": route, "status": str(status)}
    requests = [s.value for m in HTTP_REQUESTS.collect() for s in m.samples if s.labels == labels]
    timed = {"method": method, "route": route, "status_code": str(status)}
    seconds = [
        sample.value
        for metric in HTTP_SECONDS.collect()
        for sample in metric.samples
        if sample.name.endswith("_count") and sample.labels == timed
    ]
    assert requests == seconds
    return sum(requests)


def series():
    return sum(len(metric.samples) for each in (HTTP_REQUESTS, HTTP_SECONDS) for metric in each.collect())


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/", "/", 200),
        ("GET", "/api/v1/projects/p1", PROJECT, 200),
        ("HEAD", "/api/v1/projects/p1", PROJECT, 200),
        ("OPTIONS", "/api/v1/projects/p1", PROJECT, 204),
        ("DELETE", "/api/v1/projects/p1", PROJECT, 405),
        ("PUT", "/api/v1/projects/p1/files/a/b//../c.py", PROJECT + "/files/{path:str}", 200),
        ("GET", "/nowhere", "unmatched", 404),
        ("BREW", "/nowhere", "unmatched", 404),
    ],
)
def test_a_request_counts_for_its_route(method, path, route, status):
    label = "OTHER" if method == "BREW" else method
    before = counted(label, route, status)
    asyncio.run(ask(Application(), method, path))
    assert counted(label, route, status) == before + 1


def test_a_client_that_goes_before_the_answer_begins_is_counted():
    async def gone(scope, receive, send):
        raise asyncio.CancelledError

    before = counted("GET", "/", 499)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask(gone, "GET", "/"))
    assert counted("GET", "/", 499) == before + 1


def test_a_live_stream_is_timed_until_it_begins():
    def total():
        return sum(
            sample.value
            for metric in HTTP_SECONDS.collect()
            for sample in metric.samples
            if sample.name.endswith("_sum") and sample.labels["route"] == "/live"
        )

    before = total()
    asyncio.run(ask(Application(content_type=b"text/event-stream; charset=utf-8", pause=0.5), "GET", "/live"))
    assert total() - before < 0.4


def test_ten_thousand_paths_and_methods_add_no_series():
    async def flood():
        edge = Edge(Application(), ALLOWED, GatewaySettings(), Limits(MemoryLimiter()))
        for number in range(10_000):
            await ask_edge(edge, "GET", f"/api/v1/projects/{number}")
            if number % 10 == 0:
                await ask_edge(edge, f"M{number}", f"/{number}/x")

    asyncio.run(ask(Application(), "GET", "/api/v1/projects/p"))
    asyncio.run(ask(Application(), "BREW", "/nowhere"))
    before = series()
    asyncio.run(flood())
    assert series() == before
