"""Execute operations: queries and mutations at once, subscriptions for as long as a client listens."""

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

from projections.budget import budgeted
from read_api.api import Api
from read_api.graphql.context import Context
from read_api.graphql.documents import Documents, PreparedDocument, operation_of
from read_api.graphql.errors import RefusedError
from read_api.graphql.fast_path import FastPathExecution
from read_api.graphql.federation import schema
from read_api.graphql.limits import command_count, value_error
from read_api.graphql.persisted import PersistedQueries
from read_api.graphql.requests import GraphQLRequest
from read_api.problems import BadInputError, unavailable

_SECONDS = 30.0
_TOO_DEEP = "the variables are nested too deeply"


class Operation(Struct):
    """An operation that may be executed, and how many commands it carries out."""

    prepared: PreparedDocument
    kind: OperationType
    request: GraphQLRequest
    commands: int = 0


class Executor:
    """Prepare and execute the operations that clients send, over any transport."""

    def __init__(self, api: Api) -> None:
        """Work over *api*."""
        self._api = api
        self._schema: GraphQLSchema = schema()
        self._documents = Documents(self._schema, introspection=api.graphql.introspection)
        self._persisted = PersistedQueries(api.cache, api.graphql)

    def context(self, headers: Mapping[str, str], request_id: str, state: dict[str, Any]) -> Context:
        """Return what the resolvers of an operation work with."""
        return Context(self._api, headers, request_id, state)

    async def prepare(self, request: GraphQLRequest) -> Operation:
        """Return the operation of *request*; raises HttpError, and RefusedError where it may not run."""
        text = await self._persisted.text(request)
        too_many = value_error(request.variables)
        if too_many is not None:
            raise RefusedError([too_many])
        prepared = self._documents.prepare(text, request.variables)
        if prepared.errors:
            raise RefusedError(prepared.errors)
        operation = operation_of(prepared.document, request.operation_name)
        if operation is None:
            detail = (
                "operationName must name an operation of the document; it may be left out where there is one"
            )
            raise BadInputError(detail, "/operationName")
        await self._persisted.keep(request)
        commands = 0
        if operation.operation is OperationType.MUTATION:
            commands = command_count(prepared.document, operation)
        return Operation(prepared, operation.operation, request, commands)

    async def execute(self, operation: Operation, context: Context) -> ExecutionResult:
        """Execute a query or a mutation; raises HttpError 429, and 503 where it takes too long."""
        await self._api.limits.commands(context.call, operation.commands)
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._execute(operation, context, None)
        except TimeoutError as error:
            raise unavailable("busy", "the operation took too long and was stopped") from error

    async def _execute(self, operation: Operation, context: Context, root: Any) -> ExecutionResult:
        prepared, request = operation.prepared, operation.request
        context.extractors = prepared.extractors
        try:
            with budgeted():
                result = execute(
                    self._schema,
                    prepared.document,
                    root,
                    context,
                    request.variables,
                    request.operation_name,
                    execution_context_class=FastPathExecution,
                )
                return result if isinstance(result, ExecutionResult) else await result
        except RecursionError as error:
            raise BadInputError(_TOO_DEEP, "/variables") from error
        finally:
            context.loaders.forget()

    async def subscribe(
        self, operation: Operation, context: Context
    ) -> ExecutionResult | AsyncIterator[ExecutionResult]:
        """Return the results of a subscription as they arrive, or one result with the errors against it."""
        request = operation.request
        source = await create_source_event_stream(
            self._schema,
            operation.prepared.document,
            None,
            context,
            request.variables,
            request.operation_name,
        )
        if isinstance(source, ExecutionResult):
            return source

        async def execute_for(root: Any) -> ExecutionResult:
            context.call.caller.authenticate()  # a revoked token gets nothing more; raises HttpError 401
            position = root.get("position")  # the fields of an answer are as recent as its event
            return await self._execute(operation, context.renewed(position), root)

        return MapAsyncIterator(source, execute_for)
