"""The operations of one socket, each a task of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog
from graphql import ExecutionResult, OperationType

from read_api.gateway.problems import HttpError, as_http_error
from read_api.graphql.errors import RefusedError, error_document, refused_document, result_document
from read_api.graphql.persisted import Request, read_digest
from read_api.graphql.protocol import Message, ProtocolError, Subscribe, read_subscribe

if TYPE_CHECKING:
    from read_api.graphql.context import Context
    from read_api.graphql.executor import Engine

MOST = 50
logger = structlog.get_logger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Operations:
    """Run what a client subscribes to; an answer follows the other, and no queue grows for who reads slowly."""

    def __init__(self, engine: "Engine", context: "Context", send: Send) -> None:
        """Execute with *engine* for who *context* tells; *send* sends a message."""
        self._engine = engine
        self._context = context
        self._send = send
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, message: Message) -> None:
        """Start an operation; raises ProtocolError."""
        id_, payload = read_subscribe(message)
        if id_ in self._running:
            raise ProtocolError(4409, f"Subscriber for {id_} already exists")
        run = self._carry_out if len(self._running) < MOST else self._refuse
        self._running[id_] = asyncio.create_task(self._run(id_, run(id_, payload)))

    def stop(self, id_: str) -> None:
        """End an operation that the client needs no more."""
        task = self._running.pop(id_, None)
        if task is not None:
            task.cancel()

    async def end(self) -> None:
        """End every operation."""
        tasks = list(self._running.values())
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, id_: str, operation: Coroutine[Any, Any, None]) -> None:
        """Carry out an operation to its end, and say so; a refusal ends it too."""
        last: dict[str, Any] = {"id": id_, "type": "complete"}
        try:
            await operation
        except Exception as error:  # noqa: BLE001 # the error table knows them; the rest is logged as ours
            last = {"id": id_, "type": "error", "payload": self._refused(error)}
        if self._running.get(id_) is asyncio.current_task():
            del self._running[id_]  # before it is told: the client may use the id again
        await self._send(last)

    async def _refuse(self, id_: str, payload: Subscribe) -> None:  # noqa: ARG002 # in the place of the other
        detail = f"a socket carries up to {MOST} operations at once"
        raise HttpError(429, "too_many_operations", detail)

    async def _carry_out(self, id_: str, payload: Subscribe) -> None:
        context = self._context.anew()
        _ = context.actor  # as it is now: a token may have ended since the socket began
        limits = context.api.limits
        await limits.request(context.call)  # an operation is a request, whatever way it comes
        try:
            found = await self._begun(id_, payload, context)
        finally:
            await limits.end(context.state)  # under way no more, though its socket stays
        if found is not None:
            await self._follow(id_, found)

    async def _begun(
        self, id_: str, payload: Subscribe, context: "Context"
    ) -> AsyncIterator[ExecutionResult] | None:
        """Carry out a query or a mutation, or return the results of a subscription as they come."""
        engine = self._engine
        operation = await engine.prepare(
            Request(
                query=payload.query,
                operation_name=payload.operation_name,
                variables=payload.variables or {},
                digest=read_digest(payload.extensions),
            )
        )
        if operation.kind is not OperationType.SUBSCRIPTION:
            await self._next(id_, await engine.execute(operation, context))
            return None
        found = await engine.subscribe(operation, context)
        if isinstance(found, ExecutionResult):
            raise RefusedError(found.errors or ())
        return found

    async def _follow(self, id_: str, results: AsyncIterator[ExecutionResult]) -> None:
        try:
            async for result in results:
                await self._next(id_, result)
        finally:
            await results.aclose()  # type: ignore[attr-defined] # it is a generator's

    async def _next(self, id_: str, result: ExecutionResult) -> None:
        if result.data is None and all(error.path is None for error in result.errors or ()):
            raise RefusedError(result.errors or ())
        document = result_document(result, self._context.request_id)
        await self._send({"id": id_, "type": "next", "payload": document})

    def _refused(self, error: Exception) -> list[dict[str, Any]]:
        request_id = self._context.request_id
        if isinstance(error, RefusedError):
            return [error_document(item, request_id) for item in error.errors]
        known = as_http_error(error)
        if known is None:
            logger.error("operation failed", request_id=request_id, exc_info=error)
            known = HttpError(500, "internal_error", "something went wrong on our side")
        found: list[dict[str, Any]] = refused_document(known, request_id)["errors"]
        return found
