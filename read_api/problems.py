"""The errors of the HTTP surface, and the one table from any error to a problem document (RFC 9457)."""

from typing import Any

import msgspec
import structlog
from msgspec import Struct

from commands.bus import BusyError
from commands.log import LogUnavailableError
from commands.outcomes import KeyReusedError
from commands.position import PositionError
from commands.summed_log import SummedLog
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
    Refusal,
    StaleVersionError,
    TooLargeError,
)
from projections.budget import OverBudgetError
from projections.progress import BlockedError, NotCaughtUpError
from projections.store import StoreUnavailableError
from read_api.problem_titles import title_of

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
_TYPES = "https://codepark.dev/problems/"
_UNAVAILABLE = 503
LOG_UNAVAILABLE = "log_unavailable"


class InputFault(Struct, frozen=True):
    """One mistake in the input: where it is, as a JSON pointer, and what is wrong.

    A parameter or a header is a pointer too: `/limit`, `/If-Match`. The empty pointer is the whole input.
    """

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
    """A refusal by the HTTP surface itself."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        faults: list[InputFault] | None = None,
    ) -> None:
        """Keep what the problem document contains; *headers* are added to the answer."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.faults = faults or []


def input_fault(place: str, detail: str) -> InputFault:
    """Return a mistake at a JSON pointer, or in the parameter or header of that name."""
    pointer = (
        place if place.startswith("/") or not place else "/" + place.replace("~", "~0").replace("/", "~1")
    )
    return InputFault(pointer, detail)


class BadInputError(HttpError):
    """Input that does not have the form that the contract requires."""

    def __init__(self, detail: str, pointer: str, *, code: str = "invalid_input") -> None:
        """Name the place in the input by *pointer*, or by the name of a parameter or header."""
        super().__init__(400, code, detail, faults=[input_fault(pointer, detail)])


def unavailable(code: str, detail: str, headers: dict[str, str] | None = None) -> HttpError:
    """Return a 503 that says when to try again."""
    retry = {"Retry-After": str(RETRY_SECONDS)}
    return HttpError(_UNAVAILABLE, code, detail, headers=retry | (headers or {}))


def internal_error() -> HttpError:
    """Return the 500 for an error of ours; its cause is logged and not shown."""
    return HttpError(500, "internal_error", "something went wrong on our side")


_TABLE: tuple[tuple[type[Exception], int, str], ...] = (
    (InvalidError, 400, ""),
    (TooLargeError, 413, ""),
    (ForbiddenError, 403, ""),
    (NotFoundError, 404, ""),
    (KeyReusedError, 422, ""),
    (StaleVersionError, 412, ""),
    (PreconditionFailedError, 412, ""),
    (ConflictError, 409, ""),
    (Refusal, 409, ""),
    (PositionError, 400, "invalid_position"),
    (OverBudgetError, 400, "answer_too_large"),
    (BusyError, 503, "busy"),
    (LogUnavailableError, 503, LOG_UNAVAILABLE),
    (StoreUnavailableError, 503, "projection_unavailable"),
)
"""Status and code of each kind of error, the narrow kinds first; a refusal carries its own code."""

_OWN_SENTENCE = (BusyError, NotCaughtUpError, BlockedError)
"""What we say ourselves; the text of the other unavailable errors is that of a driver, or names a server."""
_SENTENCES = {
    LOG_UNAVAILABLE: "the history cannot be reached now: try again in a moment",
    "projection_unavailable": "the data cannot be reached now: try again in a moment",
}
_unavailable_log = {code: SummedLog("a request could not be served") for code in _SENTENCES}

logger = structlog.get_logger(__name__)


def as_http_error(error: Exception) -> HttpError | None:
    """Return what the table says of *error*, None for an error that it does not list."""
    if isinstance(error, HttpError):
        return error
    row = next((row for row in _TABLE if isinstance(error, row[0])), None)
    if row is None:
        return None
    _, status, code = row
    if isinstance(error, Refusal):
        return _from_refusal(error, status)
    return _unavailable(error, code) if status == _UNAVAILABLE else HttpError(status, code, str(error))


def _unavailable(error: Exception, code: str) -> HttpError:
    """Return the 503 of *error*: servers and ports are for the log, which sums them up, not for a client."""
    if isinstance(error, _OWN_SENTENCE):
        return unavailable(code, str(error))
    _unavailable_log[code].note(logger.warning, code=code, reason=f"{type(error).__name__}: {error}")
    return unavailable(code, _SENTENCES[code])


def no_outcome(error: Exception, code: str, headers: dict[str, str] | None = None) -> HttpError:
    """Return the 503 for commands without an outcome; *code* is that of a time that ran out."""
    known = None if isinstance(error, TimeoutError) else as_http_error(error)
    if known is None:
        return unavailable(code, "no outcome in time", headers)
    return unavailable(known.code, known.detail, headers)


_SIGN_IN = "sign in first: send `Authorization: Bearer <token>`, with a token from POST /api/v1/auth/login"


def _from_refusal(error: Refusal, status: int) -> HttpError:
    if error.specific_code == "authentication_required":
        return HttpError(401, error.specific_code, _SIGN_IN, headers={"WWW-Authenticate": "Bearer"})
    if error.pointer is None:
        return HttpError(status, error.specific_code, error.message)
    fault = input_fault(error.pointer, error.message)
    named = error.message.startswith("write ") and fault.pointer
    detail = f"{fault.pointer[1:]}: {error.message}" if named else error.message
    return HttpError(status, error.specific_code, detail, faults=[fault])


def as_problem(error: HttpError, instance: str, request_id: str) -> Problem:
    """Return the problem document of *error*."""
    return Problem(
        type=_type(error.code),
        title=title_of(error.code, error.status),
        status=error.status,
        detail=error.detail,
        instance=instance,
        code=error.code,
        request_id=request_id,
        errors=error.faults,
    )


def problem_body(error: HttpError, instance: str, request_id: str) -> bytes:
    """Return the problem document of *error* as JSON."""
    return msgspec.json.encode(as_problem(error, instance, request_id))


def problem_in_batch(error: Exception, place: str) -> dict[str, Any]:
    """Return the problem of the command at *place* of a batch, such as `/commands/3`.

    A place in the input of the command is one in its `data`. The request's id is in the answer's header.
    """
    known = as_http_error(error) or internal_error()
    return {
        "type": _type(known.code),
        "title": title_of(known.code, known.status),
        "status": known.status,
        "code": known.code,
        "detail": known.detail,
        "errors": [
            {"pointer": _in_batch(fault.pointer, place), "detail": fault.detail} for fault in known.faults
        ],
    }


def _in_batch(pointer: str, place: str) -> str:
    return pointer if pointer.startswith(f"{place}/") else f"{place}/data{pointer}"


def _type(code: str) -> str:
    return _TYPES + code.replace("_", "-")
