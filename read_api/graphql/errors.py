"""From exceptions to GraphQL errors; their codes are those of the REST problems."""

from collections.abc import Iterable
from typing import Any

import structlog
from graphql import ExecutionResult, FieldNode, GraphQLError

from read_api.graphql.sources import places
from read_api.problems import HttpError, as_http_error, internal_error

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
    errors = [error_document(error, request_id) for error in result.errors]
    for error in result.errors:  # tracebacks hold the execution, which holds the errors and what was loaded
        for each in (error, error.original_error):
            if each is not None:
                each.__traceback__ = None
    return {"errors": errors, "data": result.data}


def has_not_run(result: ExecutionResult) -> bool:
    """Return whether nothing was executed, because the variables do not fit the document."""
    return result.data is None and all(error.path is None for error in result.errors or ())


def error_document(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """Return *error* as the answer shows it; an error of ours is logged and masked."""
    known = refusal(error, request_id)
    document: dict[str, Any] = {"message": known.detail}
    locations = places(error)
    if locations:
        document["locations"] = locations
    if error.path is not None:
        document["path"] = error.path
    return {**document, "extensions": _extensions(known, request_id)}


def refusal(error: GraphQLError, request_id: str) -> HttpError:
    """Return the refusal behind *error*: a resolver's, or that of the document or its variables."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:
        default = "invalid_query" if error.path is None else "invalid_input"
        return HttpError(400, (error.extensions or {}).get("code", default), error.message)
    known = as_http_error(cause)
    if known is None:
        logger.error("field failed", fields=_fields(error), request_id=request_id, exc_info=cause)
        return internal_error()
    return known


def _fields(error: GraphQLError) -> list[str]:
    """Return the schema's names of the fields that failed: a path has what the client calls them."""
    return [node.name.value for node in error.nodes or () if isinstance(node, FieldNode)]


def refused_document(error: HttpError, request_id: str) -> dict[str, Any]:
    """Return the answer to a request that is not executed."""
    return {"errors": [{"message": error.detail, "extensions": _extensions(error, request_id)}]}


def _extensions(error: HttpError, request_id: str) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.code, "status": error.status}
    if error.faults:
        extensions["pointer"] = error.faults[0].pointer
    if "Retry-After" in error.headers:
        extensions["retryAfter"] = int(error.headers["Retry-After"])
    if "CodePark-Command" in error.headers:
        extensions["commandId"] = error.headers["CodePark-Command"]
    return {**extensions, "requestId": request_id}
