"""The operations of one socket, each in its own task."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from graphql import ExecutionResult, OperationType

from read_api.gateway.routes import known_error
from read_api.graphql.errors import (
    RefusedError,
    error_document,
    has_not_run,
    refused_document,
    result_document,
)
from read_api.graphql.protocol import Message, ProtocolError, read_subscribe
from read_api.graphql.requests import OperationPayload
from read_api.problems import HttpError
from telemetry.tracing import Kind, begin, within

if TYPE_CHECKING:
    from read_api.graphql.context import Context
    from read_api.graphql.executor import Executor

MAX_OPERATIONS = 50
_PATH = "/graphql"
_SPAN = {"http.route": _PATH}

Send = Callable[[dict[str, Any]], Awaitable[None]]


class SocketOperations:
    """Run a client's operations; each waits until its result is sent, so that no queue grows."""

    def __init__(self, executor: "Executor", context: "Context", send: Send) -> None:
        """Execute with *executor* for the sender of *context*; *send* sends a message."""
        self._executor = executor
        self._context = context
        self._send = send
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, message: Message) -> None:
        """Start an operation; raises ProtocolError."""
        id_, payload = read_subscribe(message)
        if id_ in self._running:
            raise ProtocolError(4409, f"Subscriber for {id_} already exists")
        run = self._execute if len(self._running) < MAX_OPERATIONS else self._refuse
        self._running[id_] = asyncio.create_task(self._run(id_, run(id_, payload)))

    def stop(self, id_: str) -> None:
        """Cancel an operation that the client no longer needs."""
        task = self._running.pop(id_, None)
        if task is not None:
            task.cancel()

    async def stop_all(self) -> None:
        """Cancel every operation."""
        tasks = list(self._running.values())
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, id_: str, operation: Coroutine[Any, Any, None]) -> None:
        """Run an operation to its end and tell the client; a refusal ends it too."""
        last: dict[str, Any] = {"id": id_, "type": "complete"}
        try:
            await operation
        except Exception as error:  # noqa: BLE001 # the error table knows them; the rest is logged as ours
            last = {"id": id_, "type": "error", "payload": self._errors(error)}
        if self._running.get(id_) is asyncio.current_task():
            del self._running[id_]  # before the message is sent: the client may then use the id again
        await self._send(last)

    async def _refuse(self, id_: str, payload: OperationPayload) -> None:  # noqa: ARG002 # as _execute
        detail = f"a socket carries up to {MAX_OPERATIONS} operations at once: complete one first"
        raise HttpError(429, "too_many_operations", detail)

    async def _execute(self, id_: str, payload: OperationPayload) -> None:
        context = self._context.renewed()
        _ = context.actor  # the token may have expired since the socket was opened
        limits = context.api.limits
        await limits.request(context.call)  # an operation counts as a request, over any transport
        try:
            results = await self._begin(id_, payload, context)
        finally:
            await limits.end(context.state)  # no longer under way, although its socket stays open
        if results is not None:
            await self._follow(id_, results)

    async def _begin(
        self, id_: str, payload: OperationPayload, context: "Context"
    ) -> AsyncIterator[ExecutionResult] | None:
        """Execute a query or a mutation, or return the results of a subscription as they arrive."""
        executor = self._executor
        operation = await executor.prepare(payload.request())
        if operation.kind is not OperationType.SUBSCRIPTION:
            with within(
                begin("graphql operation", Kind.SERVER, _SPAN)
            ):  # a socket lives too long to be a span
                await self._next(id_, await executor.execute(operation, context))
            return None
        results = await executor.subscribe(operation, context)
        if isinstance(results, ExecutionResult):
            raise RefusedError(results.errors or ())
        return results

    async def _follow(self, id_: str, results: AsyncIterator[ExecutionResult]) -> None:
        try:
            async for result in results:
                await self._next(id_, result)
        finally:
            await results.aclose()  # type: ignore[attr-defined] # it is an asynchronous generator

    async def _next(self, id_: str, result: ExecutionResult) -> None:
        if has_not_run(result):
            raise RefusedError(result.errors or ())
        document = result_document(result, self._context.request_id)
        await self._send({"id": id_, "type": "next", "payload": document})

    def _errors(self, error: Exception) -> list[dict[str, Any]]:
        request_id = self._context.request_id
        if isinstance(error, RefusedError):
            return [error_document(each, request_id) for each in error.errors]
        known = known_error(error, request_id)
        errors: list[dict[str, Any]] = refused_document(known, request_id)["errors"]
        return errors
