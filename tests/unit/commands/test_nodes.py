"""Commands among nodes: the preferred node, the bytes between nodes, and what a silent node changes."""

import asyncio
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.bus import BusyError
from commands.nodes.bus import PATH, PROOF_HEADER, NodeBus
from commands.nodes.listener import NodeListener
from commands.nodes.preference import preferred
from commands.nodes.proof import NodeProofs, SeenNonces
from commands.nodes.wire import decode_outcomes, decode_submissions, encode_outcomes, encode_submissions
from commands.outcomes import REFUSALS, Accepted, Refused, Unavailable, refusal_from
from commands.position import Position
from telemetry import tracing
from tests.support.spans import SAMPLED, parent, recording, traceparent

NODES = [f"10.0.0.{number}:3001" for number in range(5)]
PROOFS = NodeProofs("secret-of-the-installation")


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
        self.bus = NodeBus(self.own, heartbeat, "own", PROOFS, seconds=5.0)
        self.connect(NodeListener(self.other, PROOFS, "other"))

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
    with pytest.raises(BusyError, match="is busy: try again"):
        nodes.execute(submission)
    assert (nodes.own.calls, nodes.silent) == ([], [])


class Requests:
    """Requests to the listener of the node `other`, over a recording bus."""

    def __init__(self):
        self.bus = RecordingBus()
        self.listener = NodeListener(self.bus, PROOFS, "other")

    def send(self, content=b"\x90", proof=None, **changes):
        """Return the answer to a request with *content*, proven for it unless *proof* is given."""
        header = PROOFS.of_request("other", content).header() if proof is None else proof
        request = {"method": "POST", "url": f"http://other{PATH}", "content": content} | changes

        async def sent():
            transport = httpx.ASGITransport(app=self.listener)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(**request, headers={PROOF_HEADER: header} if header else {})

        return asyncio.run(sent())

    def status(self, **changes):
        return self.send(**changes).status_code


@pytest.fixture
def requests():
    return Requests()


def test_the_listener_answers_nodes_of_the_installation_alone(requests):
    assert requests.status() == 200
    assert requests.status(url="http://other/api") == 404
    assert requests.status(method="GET") == 404
    assert requests.status(content=b"\xff") == 400
    requests.bus.waiting = 10_001
    assert requests.status() == 503
    assert requests.bus.calls == [[]]
    assert requests.listener.refused == 0


def wrong_proofs():
    proof = PROOFS.of_request("other", b"\x90")
    later = NodeProofs("secret-of-the-installation", clock=lambda: proof.time / 1000 + 31)
    earlier = NodeProofs("secret-of-the-installation", clock=lambda: proof.time / 1000 - 31)
    return {
        "none": "",
        "the secret itself": "secret-of-the-installation",
        "another secret": NodeProofs("another").of_request("other", b"\x90").header(),
        "another node": PROOFS.of_request("own", b"\x90").header(),
        "another body": PROOFS.of_request("other", b"\x91").header(),
        "another time": msgspec.structs.replace(proof, time=proof.time + 1).header(),
        "another nonce": msgspec.structs.replace(proof, nonce="0" * 32).header(),
        "too old": earlier.of_request("other", b"\x90").header(),
        "too new": later.of_request("other", b"\x90").header(),
        "an answer": PROOFS.of_answer(proof.nonce, 200, b"\x90"),
    }


@pytest.mark.parametrize("name", wrong_proofs())
def test_a_request_without_the_right_proof_is_refused_and_counted(requests, name):
    assert requests.status(proof=wrong_proofs()[name]) == 403
    assert requests.bus.calls == []
    assert requests.listener.refused == 1


def test_a_proof_is_good_once(requests):
    proof = PROOFS.of_request("other", b"\x90").header()
    assert [requests.status(proof=proof) for _ in range(3)] == [200, 403, 403]
    assert len(requests.bus.calls) == 1


def test_a_request_carries_nothing_that_opens_another_one(submission):
    seen = []

    async def records(scope, receive, send):
        seen.extend(value.decode() for _, value in scope["headers"])
        await fails(scope, receive, send)

    nodes = Nodes()
    nodes.connect(records)
    nodes.execute(submission)
    assert seen
    assert not any("secret-of-the-installation" in value for value in seen)


def answering(proofs):
    """Return an application that accepts every command, as a node with *proofs* says it."""

    async def app(scope, receive, send):
        body = encode_outcomes([accepted("forged")])
        nonce = dict(scope["headers"])[PROOF_HEADER.encode()].split()[2].decode()
        headers = [(PROOF_HEADER.encode(), proofs.of_answer(nonce, 200, body).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def test_the_answer_of_a_process_without_the_secret_is_not_believed(submission):
    nodes = Nodes()
    nodes.connect(answering(NodeProofs("another")))
    assert nodes.execute(submission) == [accepted(submission.command_id)]
    assert len(nodes.own.calls) == 1
    assert nodes.bus.unproven == 1
    nodes.connect(answering(PROOFS))
    assert nodes.execute(submission) == [accepted("forged")]


def test_nonces_are_remembered_for_as_long_as_a_proof_is_good_and_not_for_ever():
    now = 0.0
    nonces = SeenNonces(clock=lambda: now, most=3)
    assert [nonces.take(name) for name in ("a", "a", "b", "c", "d")] == [True, False, True, True, False]
    now = 61.0
    assert [nonces.take(name) for name in ("a", "d")] == [False, True]
    now = 122.0
    assert nonces.take("a")


def test_a_forward_of_many_commands_has_more_time():
    deadline = Nodes().bus._deadline
    assert deadline(1, 500) < 5.1
    assert deadline(100, 50_000) > 6.9
    assert deadline(1, 2 * 1024 * 1024) > 6.9
    assert deadline(100_000, 10**9) == 10.0


def test_a_forwarded_command_continues_the_trace_on_the_other_node(submission):
    nodes = Nodes()
    with recording() as recorded:
        with tracing.within(tracing.begin("request", parent=SAMPLED)) as request:
            nodes.execute(msgspec.structs.replace(submission, traceparent=request.traceparent))
        sent, taken = recorded.one("forward commands"), recorded.one(f"POST {PATH}")
    ((arrived,),) = nodes.other.calls
    assert [f"{span.context.trace_id:032x}" for span in (sent, taken)] == [SAMPLED[3:35]] * 2
    assert (parent(sent), parent(taken)) == (request.traceparent[36:52], traceparent(sent)[36:52])
    assert arrived.traceparent == traceparent(taken)


def test_a_node_that_is_silent_makes_the_forward_fail(submission):
    nodes = Nodes()
    nodes.connect(fails)
    with recording() as recorded:
        with tracing.within(tracing.begin("request", parent=SAMPLED)) as request:
            nodes.execute(msgspec.structs.replace(submission, traceparent=request.traceparent))
        assert recorded.one("forward commands").attributes["error.type"] == "silent"
    ((carried_out,),) = nodes.own.calls
    assert carried_out.traceparent == request.traceparent


def test_a_node_that_records_no_traces_keeps_the_context_that_came(submission):
    nodes = Nodes()
    nodes.execute(msgspec.structs.replace(submission, traceparent=SAMPLED))
    ((arrived,),) = nodes.other.calls
    assert arrived.traceparent == SAMPLED
