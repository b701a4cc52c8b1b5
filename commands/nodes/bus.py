"""The bus of a node among others: it forwards commands to the preferred node, or executes them itself."""

import asyncio
import ssl
from collections.abc import Sequence

import httpx
import msgspec
import structlog
from msgspec.structs import replace
from uuid_utils import uuid7

from commands.bus import Bus, BusyError
from commands.nodes.heartbeat import Heartbeat
from commands.nodes.preference import preferred
from commands.nodes.proof import NodeProofs, RequestProof
from commands.nodes.wire import decode_outcomes, encode_submissions
from commands.outcomes import Outcome, Submission
from telemetry import tracing

FORWARD_SECONDS = 0.4
_SECONDS_A_COMMAND = 0.02
_SECONDS_A_BYTE = 1 / 1024 / 1024
_MOST_SECONDS = 10.0
PATH = "/internal/commands"
PROOF_HEADER = "x-codepark-node"
_BUSY = 503

logger = structlog.get_logger(__name__)


class NodeBus:
    """Forwards to the preferred node with a short deadline; if that is silent, this node appends itself.

    A forwarded command that was not answered may still be carried out there. Both nodes find the command by
    its id, and a refusal that is given here is recorded, so that the other node cannot accept the same
    attempt later.
    """

    def __init__(
        self,
        bus: Bus,
        heartbeat: Heartbeat,
        address: str | None,
        proofs: NodeProofs,
        *,
        partition: int = 0,
        seconds: float = FORWARD_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Carry out on *bus* where needed; other nodes know this one by *address*.

        A forward of nothing has *seconds*; each command and each byte adds to it. With *tls*, the nodes speak
        TLS, and their certificates are checked by it.
        """
        self._bus = bus
        self._heartbeat = heartbeat
        self._address = address
        self._proofs = proofs
        self._tls = tls
        self._partition = partition
        self._seconds = seconds
        self._client: httpx.AsyncClient | None = None
        self.forwarded = 0
        self.unanswered = 0
        self.unproven = 0

    @property
    def waiting(self) -> int:
        """Return how many commands wait on this node or are being decided."""
        return self._bus.waiting

    async def execute(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Carry out *submissions* on the preferred node or on this one; raises BusyError."""
        node = preferred(self._heartbeat.alive(), self._partition)
        if node is None or node == self._address:
            return await self._bus.execute(submissions)
        attempts = [replace(each, attempt=str(uuid7())) for each in submissions]
        with tracing.part(
            "forward commands", tracing.Kind.CLIENT, _attributes(self._partition, attempts)
        ) as span:
            outcomes = await self._forward(node, attempts)
            if outcomes is None:
                span.fail("silent")
        if outcomes is not None:
            return outcomes
        self._heartbeat.was_silent(node)
        self.unanswered += 1
        logger.warning("node silent, appending here", node=node, commands=len(submissions))
        return await self._bus.execute([replace(each, unanswered=True) for each in attempts])

    def execute_sync(self, submissions: Sequence[Submission], timeout: float = 60.0) -> list[Outcome]:
        """Carry out *submissions* on this node, from a thread without a loop."""
        return self._bus.execute_sync(submissions, timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Answer what waits, then take nothing more."""
        self._bus.close(timeout)

    async def aclose(self) -> None:
        """Close the connections to other nodes."""
        if self._client is not None:
            await self._client.aclose()

    async def _forward(self, node: str, submissions: Sequence[Submission]) -> list[Outcome] | None:
        """Return the outcomes that *node* answers, None where it is silent."""
        body = encode_submissions(submissions)
        proof = self._proofs.of_request(node, body)
        try:
            answer = await self._sent(node, body, proof, self._deadline(len(submissions), len(body)))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            logger.info("forward not answered", node=node, reason=f"{type(error).__name__}: {error}")
            return None
        shown = answer.headers.get(PROOF_HEADER, "")
        if not self._proofs.answered(shown, proof.nonce, answer.status_code, answer.content):
            self.unproven += 1
            logger.error("forward answered without a proof", node=node, status=answer.status_code)
            return None
        if answer.status_code == _BUSY:
            raise BusyError("the node that carries out these commands is busy: try again in a moment")
        if not answer.is_success:
            logger.error("forward refused", node=node, status=answer.status_code)
            return None
        try:
            outcomes = decode_outcomes(answer.content)
        except msgspec.MsgspecError as error:
            logger.error("forward answered with something else", node=node, reason=str(error))
            return None
        self.forwarded += len(outcomes)
        return outcomes

    def _deadline(self, commands: int, size: int) -> float:
        """Return the seconds that a forward may take: they grow with what is forwarded, up to ten."""
        return min(self._seconds + _SECONDS_A_COMMAND * commands + _SECONDS_A_BYTE * size, _MOST_SECONDS)

    async def _sent(self, node: str, body: bytes, proof: RequestProof, seconds: float) -> httpx.Response:
        if self._client is None:
            self._client = httpx.AsyncClient(
                trust_env=False,
                limits=httpx.Limits(max_connections=None),
                verify=False if self._tls is None else self._tls,
            )
        scheme = "http" if self._tls is None else "https"
        async with asyncio.timeout(seconds):
            return await self._client.post(
                f"{scheme}://{node}{PATH}",
                content=body,
                headers={PROOF_HEADER: proof.header(), **_context()},
                timeout=httpx.Timeout(seconds, connect=self._seconds),
            )


def _context() -> dict[str, str]:
    """Return the header with the context of the current span, none while traces are off."""
    traceparent = tracing.current().traceparent
    return {} if traceparent is None else {"traceparent": traceparent}


def _attributes(partition: int, submissions: Sequence[Submission]) -> dict[str, str | int]:
    return {"codepark.partition": partition, "codepark.commands": len(submissions)}
