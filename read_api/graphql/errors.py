"""From what went wrong to GraphQL errors: their codes are those of the REST problems."""

from collections.abc import Iterable
from typing import Any

import structlog
from graphql import ExecutionResult, GraphQLError

from read_api.gateway.problems import HttpError, as_http_error

logger = structlog.get_logger(__name__)

NOT_FOUND_QUERY = "PERSISTED_QUERY_NOT_FOUND"
"""The code that Apollo's clients look for."""


class RefusedError(Exception):
    """A document or its variables that may not run, with the reasons."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        """Keep the reasons."""
        super().__init__()
        self.errors = list(errors)


def result_document(result: ExecutionResult, request_id: str) -> dict[str, Any]:
    """Return *result* as an answer shows it."""
    if not result.errors:
        return {"data": result.data}
    return {"errors": [error_document(error, request_id) for error in result.errors], "data": result.data}


def error_document(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """Return *error* as the answer shows it; what nobody expected is logged and masked."""
    known = refusal(error, request_id)
    found: dict[str, Any] = {"message": known.detail}
    if error.locations:
        found["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        found["path"] = error.path
    return {**found, "extensions": _extensions(known, request_id)}


def refusal(error: GraphQLError, request_id: str) -> HttpError:
    """Return the refusal behind *error*: a resolver's, or that of the document or its variables."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:
        code = (error.extensions or {}).get(
            "code", "invalid_query" if error.path is None else "invalid_input"
        )
        return HttpError(400, code, error.message)
    known = as_http_error(cause)
    if known is None:
        logger.error("field failed", path=error.path, request_id=request_id, exc_info=cause)
        return HttpError(500, "internal_error", "something went wrong on our side")
    return known


def refused_document(error: HttpError, request_id: str) -> dict[str, Any]:
    """Return the answer to a request that is not executed."""
    return {"errors": [{"message": error.detail, "extensions": _extensions(error, request_id)}]}


def _extensions(error: HttpError, request_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {"code": error.code, "status": error.status}
    if error.faults:
        found["pointer"] = error.faults[0].pointer
    if "Retry-After" in error.headers:
        found["retryAfter"] = int(error.headers["Retry-After"])
    if "CodePark-Command" in error.headers:
        found["commandId"] = error.headers["CodePark-Command"]
    return {**found, "requestId": request_id}
