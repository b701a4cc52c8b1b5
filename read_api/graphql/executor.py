"""Carry out operations: queries and mutations here and now, subscriptions for as long as somebody listens."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLSchema,
    MapAsyncIterator,
    OperationType,
    create_source_event_stream,
    execute,
)
from msgspec import Struct

from read_api.api import Api
from read_api.gateway.problems import RETRY_SECONDS, BadInputError, HttpError
from read_api.graphql.context import Context
from read_api.graphql.documents import Documents, Prepared, operation_of
from read_api.graphql.errors import RefusedError
from read_api.graphql.fast_path import PlainExecution
from read_api.graphql.federation import schema
from read_api.graphql.persisted import Persisted, Request

_SECONDS = 30.0
_TOO_DEEP = "the variables are nested too deep"


class Operation(Struct):
    """An operation that may be carried out."""

    prepared: Prepared
    kind: OperationType
    request: Request


class Engine:
    """Prepare and execute what clients send, whatever way it came."""

    def __init__(self, api: Api) -> None:
        """Work over *api*."""
        self._api = api
        self._schema: GraphQLSchema = schema()
        self._documents = Documents(self._schema, introspection=api.graphql.introspection)
        self._persisted = Persisted(api.cache, api.graphql)

    def context(self, headers: Mapping[str, str], request_id: str, state: dict[str, Any]) -> Context:
        """Return what an operation works with."""
        return Context(self._api, headers, request_id, state)

    async def prepare(self, request: Request) -> Operation:
        """Return the operation of *request*; raises HttpError, and RefusedError where the document may not run."""
        text = await self._persisted.text(request)
        prepared = self._documents.prepare(text, request.variables)
        if prepared.errors:
            raise RefusedError(prepared.errors)
        operation = operation_of(prepared.document, request.operation_name)
        if operation is None:
            raise BadInputError("operationName names no operation of the document", "/operationName")
        await self._persisted.keep(request)
        return Operation(prepared, operation.operation, request)

    async def execute(self, operation: Operation, context: Context) -> ExecutionResult:
        """Carry out a query or a mutation; raises HttpError 503 where it takes too long."""
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._execute(operation, context, None)
        except TimeoutError as error:
            headers = {"Retry-After": str(RETRY_SECONDS)}
            raise HttpError(503, "busy", "the operation took too long", headers=headers) from error

    async def _execute(self, operation: Operation, context: Context, root: Any) -> ExecutionResult:
        prepared, request = operation.prepared, operation.request
        context.shapes = prepared.shapes
        try:
            found = execute(
                self._schema,
                prepared.document,
                root,
                context,
                request.variables,
                request.operation_name,
                execution_context_class=PlainExecution,
            )
            return found if isinstance(found, ExecutionResult) else await found
        except RecursionError as error:
            raise BadInputError(_TOO_DEEP, "/variables") from error

    async def subscribe(
        self, operation: Operation, context: Context
    ) -> ExecutionResult | AsyncIterator[ExecutionResult]:
        """Return the results of a subscription as they come, or one result that tells why there are none."""
        request = operation.request
        found = await create_source_event_stream(
            self._schema,
            operation.prepared.document,
            None,
            context,
            request.variables,
            request.operation_name,
        )
        if isinstance(found, ExecutionResult):
            return found

        async def show(root: Any) -> ExecutionResult:
            context.call.authenticate()  # who was signed out meanwhile is told no more; raises HttpError 401
            behind = root.get("position")  # what is asked beside an event is as new as the event
            return await self._execute(operation, context.anew(behind), root)

        return MapAsyncIterator(found, show)
