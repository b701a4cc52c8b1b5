"""Two nodes over three partitions: one history, which both of them show."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from commands.partitioner import partition_of
from commands.position import Position, parse_position
from tests.support.installation import Installation, Node, service_token
from tests.support.live import sse, websocket
from tests.support.people import made
from tests.support.server import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PARTITIONS = 3
_OPERATOR_USED = "token.operator_used"
MOST = 200
PROJECTS, EVENTS, COMMANDS = "/api/v1/projects", "/api/v1/events", "/api/v1/commands"


@pytest.fixture
def installation(tmp_path, kafka, mongodb_uri, redis_url, topic_prefix) -> Iterator[Installation]:
    running = Installation(
        tmp_path / "installation",
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=topic_prefix,
        CODEPARK_PARTITIONS=str(PARTITIONS),
    )
    with running:
        yield running
    with MongoClient(mongodb_uri, serverSelectionTimeoutMS=5_000) as client:
        client.drop_database(topic_prefix.rstrip("."))


def created(client: httpx.Client, name: str) -> tuple[str, Position]:
    answer = client.post(PROJECTS, json={"name": name})
    return str(made(answer)["id"]), parse_position(answer.headers["codepark-position"])


def spread(create: Callable[[int], str], least: int) -> list[str]:
    """Create at least *least* projects, until each partition has one: chance decides where an id belongs."""
    ids: list[str] = []
    while len(ids) < least or len({partition_of(id_, PARTITIONS) for id_ in ids}) < PARTITIONS:
        assert len(ids) < MOST, "a partition gets nothing"
        ids.append(create(len(ids)))
    return ids


def history(client: httpx.Client, after: str, limit: int) -> list[dict[str, Any]]:
    """Read every page of the events of a node that has come to *after*, without those of operator tokens.

    A node records the first use of such a token some time after its answer.
    """
    collected: list[dict[str, Any]] = []
    cursor: str | None = Position({0: (0, b"\0" * 4)}).token()
    while cursor is not None:
        query = {"cursor": cursor, "limit": limit}
        page = made(client.get(EVENTS, params=query, headers={"CodePark-After": after}), 200)
        collected += [event for event in page["items"] if event["type"] != _OPERATOR_USED]
        cursor = page["nextCursor"]
    return collected


def figure(node: Node, name: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in httpx.get(f"{node.url}/metrics").text.splitlines())
    return {key: float(value) for key, _, value in lines if key.startswith(name)}


def test_two_nodes_over_three_partitions_serve_one_history(installation):
    nodes = installation.start_nodes(2)
    installation.start_worker()
    with ExitStack() as stack:
        one, two = (stack.enter_context(node.client()) for node in nodes)
        probe, _ = created(
            two, "probe"
        )  # one: workers that have to include the newest event each time are never quick enough
        eventually(lambda: two.get(f"{PROJECTS}/{probe}").is_success, seconds=40)
        start = made(two.get(EVENTS, params={"limit": 1}), 200)
        while start["nextCursor"]:
            start = made(two.get(EVENTS, params={"cursor": start["nextCursor"], "limit": 100}), 200)
        before = start["position"]
        assert set(parse_position(before).partitions) == set(range(PARTITIONS))

        ids, seen = _write(one, two, parse_position(before))
        _is_read_anywhere(one, two, ids, seen)
        _is_told_live(nodes, before, ids)
        _is_one_order(one, two, seen)
        _a_batch_keeps_its_order(two, ids, seen)
        _a_batch_of_new_ones_names_all_partitions(one)
        _all_is_well(one)
        _the_command_line_tells_the_same(nodes[0], one)
        for node in nodes:
            assert len(figure(node, "codepark_partition_sequence{")) == PARTITIONS

        nodes[0].kill()
        spread(lambda number: created(two, f"alone {number}")[0], 9)


def _write(one: httpx.Client, two: httpx.Client, seen: Position) -> tuple[list[str], Position]:
    """Create projects on both nodes in turn, as clients that carry no position."""

    def create(number: int) -> str:
        nonlocal seen
        id_, position = created((one, two)[number % 2], f"p{number}")
        assert list(position.partitions) == [partition_of(id_, PARTITIONS)]
        seen = seen.join(position)
        return id_

    return spread(create, 12), seen


def _is_read_anywhere(one: httpx.Client, two: httpx.Client, ids: list[str], seen: Position) -> None:
    after = {"CodePark-After": seen.token()}
    for client in (one, two):
        assert [made(client.get(f"{PROJECTS}/{id_}", headers=after), 200)["id"] for id_ in ids] == ids
    answer = two.patch(f"{PROJECTS}/{ids[0]}", json={"name": "renamed"}, headers=after)
    answered = parse_position(answer.headers["codepark-position"])
    own = partition_of(ids[0], PARTITIONS)
    assert answered.sequence(own) > seen.sequence(own)
    assert all(answered.sequence(n) == seen.sequence(n) for n in range(PARTITIONS) if n != own)
    one_more = one.get(f"{PROJECTS}/{ids[0]}", headers={"CodePark-After": answered.token()})
    assert made(one_more, 200)["name"] == "renamed"


def _is_told_live(nodes: list[Node], before: str, ids: list[str]) -> None:
    """Follow from the start on either node, and go over to the other in the middle."""
    third = len(ids) // 3
    shares = (third, third + 1, len(ids) - 2 * third - 1)
    for live in (sse, websocket):
        seen, after = [], before
        for node, share in zip((*nodes, nodes[0]), shares, strict=True):
            with live(node, service_token(), after=after, type="project.created") as events:
                seen += islice(events, share)
            after = seen[-1]["position"]
        assert sorted(event["projectId"] for event in seen) == sorted(ids)


def _is_one_order(one: httpx.Client, two: httpx.Client, seen: Position) -> None:
    listed = [[event["id"] for event in history(client, seen.token(), 7)] for client in (one, two)]
    assert listed[0] == listed[1]
    assert len(set(listed[0])) == len(listed[0])
    events = history(one, seen.token(), 100)
    assert [event["id"] for event in events] == listed[0]
    assert [event["occurredAt"] for event in events] == sorted(event["occurredAt"] for event in events)


def _a_batch_keeps_its_order(client: httpx.Client, ids: list[str], seen: Position) -> None:
    commands = [
        {"type": "project.update", "target": id_, "data": {"name": f"{name} {id_}"}}
        for name in ("first", "second")
        for id_ in ids
    ]
    answer = client.post(COMMANDS, json={"commands": commands}, headers={"CodePark-After": seen.token()})
    results = made(answer, 200)["results"]
    assert [(result["status"], result["target"]) for result in results] == [
        ("accepted", id_) for id_ in ids * 2
    ]
    token = answer.headers["codepark-position"]
    for id_ in ids:
        shown = client.get(f"{PROJECTS}/{id_}", headers={"CodePark-After": token})
        assert made(shown, 200)["name"] == f"second {id_}"


def _a_batch_of_new_ones_names_all_partitions(client: httpx.Client) -> None:
    # So many that the chance that a partition gets none is one in ten thousand millions.
    commands = [{"type": "project.create", "data": {"name": f"b{number}"}} for number in range(60)]
    answer = client.post(COMMANDS, json={"commands": commands})
    results = made(answer, 200)["results"]
    joined = Position()
    for result in results:
        joined = joined.join(parse_position(result["position"]))
    assert parse_position(answer.headers["codepark-position"]) == joined
    assert set(joined.partitions) == set(range(PARTITIONS))
    command = client.get(f"{COMMANDS}/{results[-1]['commandId']}").json()
    assert command["position"] == results[-1]["position"]


def _the_command_line_tells_the_same(node: Node, client: httpx.Client) -> None:
    """Ask the server that holds the folder, through the command line, while no client writes.

    Each command sends the server a token of its own, whose first use is an event: it is left out here.
    """

    def codepark(*arguments: str) -> list[str]:
        environment = {**os.environ, **node.environment}
        command = [sys.executable, "-m", "codepark.cli", *arguments]
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert printed.returncode == 0, printed.stderr
        return printed.stdout.splitlines()

    def events(*arguments: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in codepark("events", *arguments)]
        return [event for event in lines if event["type"] != _OPERATOR_USED]

    tip = made(client.get(EVENTS, params={"limit": 1}), 200)["position"]
    listed = [(event["id"], event["sequence"]) for event in history(client, tip, 100)]
    written = events("export")
    assert [(event["id"], event["sequence"]) for event in written] == listed
    assert all(list(parse_position(e["position"]).sequences.values()) == [e["sequence"]] for e in written)
    tail = [event["id"] for event in events("tail", "--count", "7")]
    assert len(tail) >= 5
    assert tail == [id_ for id_, _ in listed[-len(tail) :]]
    later = events("export", "--after", "2")
    assert [event["id"] for event in later] == [id_ for id_, sequence in listed if sequence > 2]
    assert "the chain holds" in "".join(codepark("doctor", "--json"))


def _all_is_well(client: httpx.Client) -> None:
    """Ask what the command line asks of a server."""
    tips = client.post("/internal/tip", json={}).json()["sequences"]
    assert all(tips[str(number)] > 0 for number in range(PARTITIONS))
    page = client.post("/internal/events", json={"arguments": {"limit": 5}}).json()
    rest = client.post(
        "/internal/events", json={"arguments": {"after": page["after"], "limit": 10_000}}
    ).json()
    assert len(page["items"] + rest["items"]) == sum(rest["after"].values()) >= sum(tips.values())
    findings = client.post("/internal/examine", json={}).json()["findings"]
    assert all(finding["ok"] for finding in findings), findings
