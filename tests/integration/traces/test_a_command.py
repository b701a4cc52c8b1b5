"""One command, from its request to the live frames that show its event, in each profile: a single trace."""

import json
import secrets
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.cluster_server import ClusterServer
from tests.support.collector import Collector, tree
from tests.support.graphql import open_socket as open_graphql
from tests.support.live import sse, websocket
from tests.support.people import Person, made, position_now
from tests.support.server import Server, eventually, serving

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

FILE = "/api/v1/projects/{project_id:str}/files/{path:str}"
TREES = {
    "embedded": [
        f"SERVER PUT {FILE}",
        "  INTERNAL decide",
        "  PRODUCER append",
        "    CONSUMER project",
        "      CLIENT store",
        "    CONSUMER project",
        "      CLIENT store",
        "    PRODUCER send event",
        "    PRODUCER send event",
    ],
    "cluster": [
        f"SERVER PUT {FILE}",
        "  INTERNAL decide",
        "  PRODUCER append",
        "    CONSUMER project",
        "      CLIENT store",
        "      PRODUCER publish progress",
        "    CONSUMER project",
        "      CLIENT store",
        "      PRODUCER publish progress",
        "    PRODUCER send event",
        "    PRODUCER send event",
        "  INTERNAL answer from the replica",
        "    CLIENT store",
    ],
}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with Collector(tmp_path_factory.mktemp("collector") / "spans.jsonl") as running:
        yield running


@pytest.fixture(scope="module", params=["embedded", "cluster"])
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    collector: Collector,
    profile: str,
) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("traced") / "data"
    if profile == "embedded":
        with serving(data, collector.variables) as running:
            yield running
        return
    servers = {name: request.getfixturevalue(name) for name in ("kafka", "mongodb_uri", "redis_url")}
    prefix = f"traces-{uuid4().hex[:12]}."
    cluster = ClusterServer(data, **servers, prefix=prefix, more=collector.variables).start()
    try:
        yield cluster
    finally:
        assert cluster.stop() == 0


@pytest.fixture(scope="module")
def ada(server: Server) -> Iterator[Person]:
    person = Person(server, "Ada")
    with person.client:
        yield person


def context(flags: str = "01") -> tuple[str, str]:
    """Return a new trace, and the `traceparent` of a client's span in it."""
    trace = secrets.token_hex(16)
    return trace, f"00-{trace}-{secrets.token_hex(8)}-{flags}"


def written(server: Server, ada: Person, **headers: str) -> tuple[str, list[dict[str, Any]]]:
    """Write a file; return its project, and its event as two subscribers get it."""
    project = made(ada.client.post("/api/v1/projects", json={"name": "Engine"}))["id"]
    query = {"projects": project, "type": "file.written"}
    with sse(server, ada.token, **query) as events, websocket(server, ada.token, **query) as others:
        path = f"/api/v1/projects/{project}/files/engine.py"
        made(ada.client.put(path, json={"content": "x = 1\n"}, headers=headers))
        return project, [next(events), next(others)]


def test_a_command_is_one_trace_from_the_request_to_the_live_frames(
    server: Server, ada: Person, collector: Collector, profile: str
) -> None:
    trace, traceparent = context()
    project, events = written(server, ada, traceparent=traceparent)
    expected = TREES[profile]
    spans = collector.await_spans(lambda spans: len(tree(spans)) >= len(expected), trace)
    assert sorted(tree(spans)) == sorted(expected)
    by_name = {span["name"]: span for span in spans}
    request, append = by_name[f"PUT {FILE}"], by_name["append"]
    assert request["parent"] == traceparent.split("-")[2], "the client's span is above the request's"
    assert {event["traceparent"] for event in events} == {f"00-{trace}-{append['id']}-01"}
    assert request["attributes"] == {
        "http.request.method": "PUT",
        "http.route": FILE,
        "http.response.status_code": 201,
        "codepark.action": "file.write",
        "codepark.account.id": ada.id,
        "codepark.project.id": project,
    }
    frames = [span["attributes"]["codepark.channel"] for span in spans if span["name"] == "send event"]
    assert sorted(frames) == ["sse", "websocket"]
    assert {span["status"] for span in spans} == {"UNSET"}


def test_a_trace_that_is_not_sampled_has_no_span_and_its_events_continue_it(
    server: Server, ada: Person, collector: Collector
) -> None:
    trace, traceparent = context("00")
    _, events = written(server, ada, traceparent=traceparent)
    for event in events:
        assert event["traceparent"].split("-")[1] == trace
        assert event["traceparent"].endswith("-00")
        assert event["traceparent"] != traceparent, "it is that of the request's span, not the client's"
    sampled, traceparent = context()
    written(server, ada, traceparent=traceparent)
    collector.await_spans(lambda spans: any(span["name"] == "send event" for span in spans), sampled)
    assert collector.spans(trace) == []


def test_lines_of_the_log_name_their_trace(server: Server, ada: Person) -> None:
    trace, traceparent = context()
    answer = ada.client.get("/api/v1/projects/none", headers={"traceparent": traceparent})
    assert answer.status_code == httpx.codes.NOT_FOUND
    line = eventually(lambda: next((line for line in logged(server) if line.get("trace_id") == trace), None))
    assert (line["event"], line["request_id"]) == ("request", answer.headers["x-request-id"])
    assert line["span_id"] != traceparent.split("-")[2], "it is the span of the request"


def logged(server: Server) -> list[dict[str, Any]]:
    """Return the lines of the server's log that are JSON, as all but those of an interpreter's crash are."""
    lines = server.output.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_what_a_client_says_in_other_headers_is_not_kept(
    server: Server, ada: Person, collector: Collector
) -> None:
    trace, traceparent = context()
    said = {"tracestate": "vendor=secretly", "baggage": "user=secretly"}
    _, events = written(server, ada, traceparent=traceparent, **said)
    spans = collector.await_spans(lambda spans: any(span["name"] == "send event" for span in spans), trace)
    assert "secretly" not in str(spans)
    assert "secretly" not in str(events)


def test_a_mutation_over_a_socket_is_a_trace_up_to_the_subscription_that_shows_it(
    server: Server, ada: Person, collector: Collector
) -> None:
    events = 'events(types: ["project.created"], after: $after) { traceparent }'
    follow = f"subscription ($after: String) {{ {events} }}"
    after = position_now(ada)
    with open_graphql(server) as socket:
        socket.init(authorization=f"Bearer {ada.token}")
        socket.subscribe("s", follow, after=after)
        socket.subscribe("m", 'mutation { createProject(input: {name: "by socket"}) { version } }')
        traceparent = eventually(lambda: context_of(socket.receive()))
    trace = traceparent.split("-")[1]
    spans = collector.await_spans(lambda spans: any(each["name"] == "send event" for each in spans), trace)
    assert tree(spans)[0] == "SERVER graphql operation"
    by_name = {span["name"]: span for span in spans}
    assert by_name["append"]["id"] == traceparent.split("-")[2] == by_name["send event"]["parent"]
    assert by_name["send event"]["attributes"]["codepark.channel"] == "graphql"


def context_of(message: Any) -> str | None:
    """Return the context of the event that a message of the socket shows, if it shows one."""
    data = message.get("payload", {}).get("data", {}) if message["type"] == "next" else {}
    return data.get("events", {}).get("traceparent")


def test_the_time_of_a_traced_request_names_its_trace(server: Server, ada: Person) -> None:
    trace, traceparent = context()
    written(server, ada, traceparent=traceparent)
    with server.client() as visitor:
        metrics = visitor.get("/metrics", headers={"Accept": "application/openmetrics-text"}).text
        assert f'trace_id="{trace}"' in metrics
        proxied = {"Accept": "application/openmetrics-text", "X-Forwarded-For": "203.0.113.7"}
        assert trace not in visitor.get("/metrics", headers=proxied).text
