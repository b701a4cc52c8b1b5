"""The one error table: from what went wrong to a problem document (RFC 9457)."""

from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from commands.bus import BusyError
from commands.log import LogUnavailableError
from commands.outcomes import KeyReusedError
from commands.position import PositionError
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Refusal,
    StaleVersionError,
    TooLargeError,
)
from projections.store import StoreUnavailableError

MEDIA_TYPE = "application/problem+json"
_TYPES = "https://codepark.dev/problems/"
RETRY_SECONDS = 1


class InputFault(Struct, frozen=True):
    """One thing that is wrong with the input: where (a JSON pointer or a parameter's name) and what."""

    pointer: str
    detail: str


class Problem(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A problem document."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[InputFault] = []


class HttpError(Exception):
    """A refusal that the HTTP surface itself gives."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        faults: list[InputFault] | None = None,
    ) -> None:
        """Keep what the problem document says."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.faults = faults or []


class BadInputError(HttpError):
    """The input does not have the form that the contract gives it."""

    def __init__(self, detail: str, pointer: str, *, code: str = "invalid_input") -> None:
        """Name the place in the input."""
        super().__init__(400, code, detail, faults=[InputFault(pointer, detail)])


_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (InvalidError, 400),
    (TooLargeError, 413),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (KeyReusedError, 422),
    (StaleVersionError, 412),
    (ConflictError, 409),
    (Refusal, 409),
    (PositionError, 400),
    (BusyError, 503),
    (LogUnavailableError, 503),
    (StoreUnavailableError, 503),
)
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (PositionError, "invalid_position"),
    (BusyError, "busy"),
    (LogUnavailableError, "log_unavailable"),
    (StoreUnavailableError, "projection_unavailable"),
)


def as_http_error(error: Exception) -> HttpError | None:
    """Return what the table says of *error*, None for what it does not know."""
    if isinstance(error, HttpError):
        return error
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is None:
        return None
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if isinstance(error, Refusal):
        if error.specific_code == "authentication_required":
            status, headers = 401, {"WWW-Authenticate": "Bearer"}
        faults = [InputFault(error.pointer, error.message)] if error.pointer is not None else []
        return HttpError(status, error.specific_code, error.message, headers=headers, faults=faults)
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    return HttpError(status, code, str(error), headers=headers)


def problem_body(error: HttpError, instance: str, request_id: str) -> bytes:
    """Write the problem document of *error*."""
    return msgspec.json.encode(as_problem(error, instance, request_id))


def as_problem(error: HttpError, instance: str, request_id: str) -> Problem:
    """Return the problem document of *error*."""
    return Problem(
        type=_TYPES + error.code.replace("_", "-"),
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.detail,
        instance=instance,
        code=error.code,
        request_id=request_id,
        errors=error.faults,
    )


def problem_of(error: Exception) -> dict[str, Any]:
    """Return a refusal as part of a batch's answer."""
    known = as_http_error(error) or HttpError(500, "internal_error", "something went wrong on our side")
    return {
        "type": _TYPES + known.code.replace("_", "-"),
        "title": HTTPStatus(known.status).phrase,
        "status": known.status,
        "code": known.code,
        "detail": known.detail,
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in known.faults],
    }
