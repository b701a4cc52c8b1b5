"""The internal HTTP listener, to which other nodes forward commands."""

import asyncio
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from commands.bus import Bus, BusyError
from commands.nodes.bus import PATH, PROOF_HEADER
from commands.nodes.proof import NodeProofs, RequestProof, SeenNonces, digest_of, read_proof
from commands.nodes.wire import decode_submissions, encode_outcomes
from commands.outcomes import Submission
from commands.summed_log import SummedLog
from telemetry import tracing

_LARGEST = 64 * 1024 * 1024
_CROWDED = 10_000

logger = structlog.get_logger(__name__)


class NodeListener:
    """An ASGI application with one path, for nodes that prove that they belong to the installation."""

    def __init__(self, bus: Bus, proofs: NodeProofs, address: str | None) -> None:
        """Carry out on *bus*, which must not forward: a command is forwarded once.

        A proof must be for *address*, the one by which other nodes know this one.
        """
        self._bus = bus
        self._proofs = proofs
        self._address = address or ""
        self._nonces = SeenNonces()
        self._unproven = SummedLog("a request without the proof of a node was refused")

    @property
    def refused(self) -> int:
        """Return how many requests had no proof of a node of the installation."""
        return self._unproven.total

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        proof = self._proof(scope)
        status, body = (403, b"") if proof is None else await self._answer(scope, receive, proof)
        headers = [(b"content-type", b"application/msgpack"), (b"content-length", b"%d" % len(body))]
        if proof is not None:
            code = self._proofs.of_answer(proof.nonce, status, body)
            headers.append((PROOF_HEADER.encode(), code.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _proof(self, scope: Any) -> RequestProof | None:
        """Return the proof of a request, which works once; None before a byte of the body is read."""
        header = next((value for name, value in scope["headers"] if name == PROOF_HEADER.encode()), b"")
        proof = read_proof(header)
        if proof is not None and self._proofs.holds(proof, self._address) and self._nonces.take(proof.nonce):
            return proof
        self._unproven.note(logger.warning)
        return None

    async def _answer(self, scope: Any, receive: Any, proof: RequestProof) -> tuple[int, bytes]:
        if scope["path"] != PATH or scope["method"] != "POST":
            return 404, b""
        body = await _read(receive)
        if body is None:
            return 413, b""
        if digest_of(body) != proof.digest:
            self._unproven.note(logger.warning)
            return 403, b""
        with tracing.within(_span(scope)) as span:
            status, answer = await self._outcomes(body)
            span.annotate({"http.response.status_code": status})
            return status, answer

    async def _outcomes(self, body: bytes) -> tuple[int, bytes]:
        if self._bus.waiting > _CROWDED:
            return 503, b""
        try:
            outcomes = await self._bus.execute(_in_this_trace(decode_submissions(body)))
        except msgspec.MsgspecError:
            return 400, b""
        except BusyError:
            return 503, b""
        return 200, encode_outcomes(outcomes)


def _span(scope: Any) -> tracing.Span:
    """Begin the span of a request of another node: it has one where the other node's span is recorded."""
    given = next(
        (value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None
    )
    attributes = {"http.request.method": "POST", "http.route": PATH}
    return tracing.follow(tracing.distinct([given]), f"POST {PATH}", tracing.Kind.SERVER, attributes)


def _in_this_trace(submissions: list[Submission]) -> list[Submission]:
    """Return *submissions*, all of one request, as caused by the present span, if there is one."""
    span = tracing.current()
    if not span.recorded:
        return submissions
    return [replace(each, traceparent=span.traceparent) for each in submissions]


async def _read(receive: Any) -> bytes | None:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > _LARGEST:
            return None
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)
