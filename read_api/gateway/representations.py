"""What every answer to an operation goes through: the fields that were picked, and conditional requests."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from domain.errors import PreconditionFailedError
from read_api.gateway.answers import Answer
from read_api.gateway.operation import FIELDS, Operation, item_of, struct_fields
from read_api.gateway.preconditions import matches_current, not_modified
from read_api.problems import BadInputError


def check_fields(fields: str, operation: Operation) -> None:
    """Refuse names in `?fields=` that the answer of *operation* does not have; raises BadInputError."""
    known, names = struct_fields(item_of(operation.output)), fields.split(",")
    if not all(names):
        raise BadInputError("fields takes names separated by commas, such as id,version", FIELDS)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadInputError(
            f"fields names {', '.join(unknown)}, which the answer does not have: it has {', '.join(known)}",
            FIELDS,
        )


def finished(answer: Answer, operation: Operation, headers: Mapping[str, str], fields: str | None) -> Answer:
    """Return *answer* as the client wants it: with the *fields* alone, or 304 where the client has it.

    Raises PreconditionFailedError where a query's `If-Match` names another state.
    """
    if operation.method == "GET" and answer.status == HTTPStatus.OK:
        tag = answer.headers.get("ETag")
        if "if-match" in headers and not matches_current(headers["if-match"], tag):
            raise PreconditionFailedError(
                f"the current version is {tag}, which If-Match does not name: leave If-Match out, or name it"
                if tag
                else "this resource has no ETag that If-Match could name: leave If-Match out"
            )
        if "if-none-match" in headers and not_modified(headers["if-none-match"], tag):
            return Answer(status=304, headers=answer.headers)
    if fields is not None and answer.body and answer.status < HTTPStatus.MULTIPLE_CHOICES:
        answer.body = msgspec.json.encode(_picked(msgspec.json.decode(answer.body), operation, fields))
    return answer


def _picked(document: dict[str, Any], operation: Operation, fields: str) -> dict[str, Any]:
    """Return the *fields* of a document or, in a list, those of its items."""
    names = fields.split(",")
    if item_of(operation.output) is operation.output:
        return _fields_of(document, names)
    return {**document, "items": [_fields_of(item, names) for item in document["items"]]}


def _fields_of(document: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}
