"""Commands among nodes: the preferred node, the bytes between nodes, and what a silent node changes."""

import asyncio
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.bus import BusyError
from commands.nodes.bus import PATH, SECRET_HEADER, NodeBus
from commands.nodes.listener import NodeListener
from commands.nodes.preference import preferred
from commands.nodes.wire import decode_outcomes, decode_submissions, encode_outcomes, encode_submissions
from commands.outcomes import REFUSALS, Accepted, Refused, Unavailable, refusal_from
from commands.position import Position

NODES = [f"10.0.0.{number}:3001" for number in range(5)]
SECRET = "secret-of-the-installation"


@given(st.sampled_from(NODES), st.integers(0, 200))
def test_a_node_that_leaves_moves_its_own_partitions_alone(gone, partition):
    before = preferred(NODES, partition)
    after = preferred([node for node in NODES if node != gone], partition)
    assert (after == before) == (before != gone)
    assert preferred(reversed(NODES), partition) == before


def test_no_node_is_preferred_where_none_is_alive():
    assert preferred([], 0) is None


@pytest.fixture
def submission(commands):
    return commands.submission("project.create", name="p", key="k")


def test_submissions_arrive_as_they_were_sent(submission):
    attempted = msgspec.structs.replace(submission, attempt="a", expected_version=3, traceparent="t")
    assert decode_submissions(encode_submissions([submission, attempted])) == [submission, attempted]


def test_that_another_node_was_asked_is_not_sent(submission):
    unanswered = msgspec.structs.replace(submission, unanswered=True)
    assert decode_submissions(encode_submissions([unanswered])) == [submission]


def accepted(command_id="c"):
    position = Position.at(7, bytes(32))
    return Accepted(command_id=command_id, stream="project-1", version=2, position=position, replayed=True)


def test_outcomes_arrive_as_they_were_sent():
    outcomes = [accepted(), Unavailable(command_id="d", reason="no answer")]
    assert decode_outcomes(encode_outcomes(outcomes)) == outcomes


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_arrives_with_its_kind_and_words(kind):
    refusal = refusal_from(kind, "why", "a_code", "/name")
    (arrived,) = decode_outcomes(encode_outcomes([Refused(command_id="c", refusal=refusal)]))
    assert arrived.command_id == "c"
    assert type(arrived.refusal) is REFUSALS[kind]
    facts = (arrived.refusal.message, arrived.refusal.specific_code, arrived.refusal.pointer)
    assert facts == ("why", "a_code", "/name")


class RecordingBus:
    """Accepts everything, and records it; a *busy* one refuses."""

    def __init__(self):
        self.calls, self.waiting, self.busy = [], 0, False

    async def execute(self, submissions):
        if self.busy:
            raise BusyError("too many")
        self.calls.append(list(submissions))
        return [accepted(each.command_id) for each in submissions]


class Nodes:
    """This node and another one, which is preferred."""

    def __init__(self):
        self.own, self.other, self.silent = RecordingBus(), RecordingBus(), []
        heartbeat = SimpleNamespace(alive=lambda: ["other"], was_silent=self.silent.append)
        self.bus = NodeBus(self.own, heartbeat, "own", SECRET, seconds=5.0)
        self.connect(NodeListener(self.other, SECRET))

    def connect(self, app):
        self.bus._client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))

    def execute(self, *submissions):
        return asyncio.run(self.bus.execute(submissions))


def test_a_command_goes_to_the_preferred_node(submission):
    nodes = Nodes()
    assert nodes.execute(submission) == [accepted(submission.command_id)]
    ((sent,),) = nodes.other.calls
    assert msgspec.structs.replace(sent, attempt=None) == submission
    assert sent.attempt is not None
    assert (nodes.own.calls, nodes.silent, nodes.bus.forwarded) == ([], [], 1)


@pytest.mark.parametrize("address", ["own", None], ids=["itself", "none"])
def test_a_command_is_carried_out_here_where_no_other_node_is_preferred(submission, address):
    nodes = Nodes()
    nodes.bus._heartbeat.alive = lambda: [address] if address else []
    nodes.execute(submission)
    assert (nodes.own.calls, nodes.other.calls) == ([[submission]], [])


async def fails(scope, receive, send):
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def answers_something_else(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"\xff"})


async def never_answers(scope, receive, send):
    await asyncio.Event().wait()


@pytest.mark.parametrize("app", [fails, answers_something_else, never_answers])
def test_the_commands_of_a_silent_node_are_carried_out_here_as_the_same_attempt(submission, app):
    nodes = Nodes()
    nodes.bus._seconds = 0.05 if app is never_answers else 5.0
    nodes.connect(app)
    nodes.execute(submission)
    ((carried_out,),) = nodes.own.calls
    assert carried_out.unanswered
    assert carried_out.attempt is not None
    assert nodes.silent == ["other"]
    assert nodes.bus.unanswered == 1


def test_a_busy_node_is_not_silent(submission):
    nodes = Nodes()
    nodes.other.busy = True
    with pytest.raises(BusyError, match="other is busy"):
        nodes.execute(submission)
    assert (nodes.own.calls, nodes.silent) == ([], [])


def asked(bus, **changes):
    """Return the status that the listener over *bus* answers to a request with *changes*."""
    request = {"method": "POST", "url": f"http://other{PATH}", "content": b"\x90"}
    request |= {"headers": {SECRET_HEADER: SECRET}} | changes

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=NodeListener(bus, SECRET))) as client:
            return (await client.request(**request)).status_code

    return asyncio.run(ask())


def test_the_listener_answers_nodes_of_the_installation_alone():
    bus = RecordingBus()
    assert asked(bus) == 200
    assert asked(bus, headers={}) == 403
    assert asked(bus, headers={SECRET_HEADER: "other"}) == 403
    assert asked(bus, url="http://other/api") == 404
    assert asked(bus, method="GET") == 404
    assert asked(bus, content=b"\xff") == 400
    bus.waiting = 10_001
    assert asked(bus) == 503
    assert bus.calls == [[]]
