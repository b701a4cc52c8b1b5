"""A command that another node carries out is one trace over both nodes and the worker."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from commands.nodes.bus import PATH
from tests.support.collector import Collector, tree
from tests.support.installation import Installation
from tests.support.people import made

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


FORWARDED = [
    "SERVER POST /api/v1/projects",
    "  CLIENT forward commands",
    f"    SERVER POST {PATH}",
    "      INTERNAL decide",
    "      PRODUCER append",
    "        CONSUMER project",
    "          CLIENT store",
    "          PRODUCER publish progress",
    "  INTERNAL answer from the replica",
]


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    with Collector(tmp_path / "spans.jsonl") as running:
        yield running


@pytest.fixture
def installation(
    tmp_path: Path, collector: Collector, kafka: str, mongodb_uri: str, redis_url: str
) -> Iterator[Installation]:
    installation = Installation(
        tmp_path / "nodes",
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=f"forward-{uuid4().hex[:12]}.",
        **collector.variables,
    )
    with installation:
        installation.start_worker()
        installation.start_nodes(2)
        yield installation


def create(client: httpx.Client, headers: dict[str, str]) -> None:
    """Create a project, and wait until it is projected, so that no other event joins its batch."""
    created = client.post("/api/v1/projects", json={"name": "Engine"}, headers=headers)
    project = made(created)["id"]
    position = created.headers["codepark-position"]
    made(client.get(f"/api/v1/projects/{project}", headers={"CodePark-After": position}), httpx.codes.OK)


def test_a_forwarded_command_is_one_trace(installation: Installation, collector: Collector) -> None:
    traces = []
    for node in installation.nodes:  # one of them is preferred, and the other one forwards
        trace = secrets.token_hex(16)
        context = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
        with node.client() as client:
            create(client, {})  # the token's first use at a node is an event
            create(client, context)
        traces.append(trace)

    def trees(spans: list[dict[str, Any]]) -> list[list[str]]:
        return [tree([span for span in spans if span["trace"] == trace]) for trace in traces]

    spans = collector.await_spans(
        lambda spans: any(each[: len(FORWARDED)] == FORWARDED for each in trees(spans))
    )
    servers = {span["resource"]["service.instance.id"] for span in spans if span["trace"] in traces}
    assert len(servers) == 3, "two nodes and a worker"
