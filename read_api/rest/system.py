"""Health, metrics, and the operations that the command line asks a running server for."""

import asyncio
import hmac
from ipaddress import ip_address
from typing import Any

import msgspec

from read_api.gateway.answers import Answer, json_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.problems import HttpError, unavailable

operation = Operations("System")

_NO_STORE = {"Cache-Control": "no-store"}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class OperationInput(msgspec.Struct, frozen=True):
    """The arguments of an operation of the command line."""

    arguments: dict[str, Any] = {}


@operation("GET", "/health/live", "system.read")
async def live(call: Call) -> Answer:  # noqa: ARG001 # the signature of every handler
    """Check that the process answers."""
    return Answer(body=b'{"status":"live"}', headers=_NO_STORE)


@operation("GET", "/health/ready", "system.read")
async def ready(call: Call) -> Answer:
    """Check that the server is ready: its read models include everything that the log had at its start.

    In the cluster profile, Kafka and MongoDB answer, too; the problem names what is missing.
    """
    missing = ["the server is stopping"] if call.api.hub.draining else call.api.not_ready()
    if missing:
        raise unavailable("not_ready", f"not ready: {', '.join(missing)}")
    if without := call.api.does_without():
        return json_answer({"status": "ready", "without": without}, headers=_NO_STORE)
    return Answer(body=b'{"status":"ready"}', headers=_NO_STORE)


@operation("GET", "/metrics", "system.read", hidden=True, open=True)
async def metrics(call: Call) -> Answer:
    """Get the metrics, for Prometheus: in its text format, or in that of OpenMetrics.

    Figures of the business and the ids of traces are for those on this machine, and for those who send the
    token of the metrics.
    """
    private = _may_see_private(call)
    body, media_type = await call.api.metrics.write(call.headers.get("accept", ""), private=private)
    return Answer(body=body, media_type=media_type)


def _may_see_private(call: Call) -> bool:
    """Return whether the request comes from this machine itself, or has the token of the metrics.

    A proxy on this machine is no reason: its headers name another client.
    """
    token, sent = call.api.gateway.metrics_token, call.headers.get("authorization", "")
    if token is not None and hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        return True
    if any(name in call.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(call.address).is_loopback
    except ValueError:
        return False


@operation(
    "POST", "/internal/{name:str}", "system.operate", input=OperationInput, hidden=True, unhurried=True
)
async def internal(call: Call, data: OperationInput) -> Answer:
    """Carry out an operation of the command line, such as a rebuild (administrators)."""
    run = call.api.operations.get(call.path["name"])
    if run is None:
        raise HttpError(404, "not_found", "there is no such operation")
    return json_answer(await asyncio.to_thread(run, data.arguments))
