"""Health, metrics, the documents about the interface, and what the command line asks of a running server."""

import asyncio
from typing import Any

import msgspec

from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.gateway.problems import HttpError

operation = Operations("System")

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class OperationInput(msgspec.Struct, frozen=True):
    """What an operation of the command line takes."""

    arguments: dict[str, Any] = {}


@operation("GET", "/health/live", "system.read")
async def live(call: Call) -> Answer:  # noqa: ARG001 # the signature of every handler
    """Tell that the process answers."""
    return Answer(body=b'{"status":"live"}', headers={"Cache-Control": "no-store"})


@operation("GET", "/health/ready", "system.read")
async def ready(call: Call) -> Answer:
    """Tell whether the read models have reached the end of the log that was found at the start."""
    missing = ["the server is stopping"] if call.api.hub.draining else call.api.not_ready()
    if missing:
        raise HttpError(503, "not_ready", f"not ready: {', '.join(missing)}", headers={"Retry-After": "1"})
    return Answer(body=b'{"status":"ready"}', headers={"Cache-Control": "no-store"})


@operation("GET", "/metrics", "system.read", hidden=True)
async def metrics(call: Call) -> Answer:
    """Write the metrics for Prometheus."""
    return Answer(body=call.api.metrics(), media_type=_PROMETHEUS)


@operation(
    "POST", "/internal/{name:str}", "system.operate", input=OperationInput, hidden=True, unhurried=True
)
async def internal(call: Call, data: OperationInput) -> Answer:
    """Carry out an operation of the command line: rebuild, dead letters (administrators)."""
    run = call.api.operations.get(call.path["name"])
    if run is None:
        raise HttpError(404, "not_found", "there is no such operation")
    result = await asyncio.to_thread(run, data.arguments)
    return Answer(body=msgspec.json.encode(result))
