"""Read the body and the query of a request as the contract allows them."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from domain.limits import BODY_SIZE
from read_api.gateway.sentences import escaped, json_pointer, sentence, unknown_field
from read_api.problems import BadInputError, HttpError

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

S = TypeVar("S", bound=Struct)

_AT = re.compile(r"(.*) - at `(\$[^`]*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`", re.DOTALL)
_HALF_CHARACTER = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
)
_REPEATED = 100_000
_MESSAGE_READ = 500
"""How many characters of each end of msgspec's message are read: a name in it may be as long as the body."""

_NAME_SHOWN = 200  # of the name of an unknown field, which the caller may have made as long as the body
_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


async def read_body(
    receive: Callable[[], Awaitable[Any]], headers: Mapping[str, str], seconds: float
) -> bytes:
    """Read the body; raises HttpError 413 once it is too large, 408 where it takes longer than *seconds*."""
    announced = headers.get("content-length")
    if announced is not None and announced.isdecimal() and int(announced) > BODY_SIZE:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HttpError(400, "incomplete_body", "the body ended early")
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > BODY_SIZE:
                    raise _too_large()
                if not message.get("more_body"):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError as error:
        detail = f"the body did not arrive within {seconds:g} s"
        raise HttpError(408, "request_timeout", detail, headers={"Connection": "close"}) from error


def _too_large() -> HttpError:
    return HttpError(
        413, "too_large", f"a body may have up to {BODY_SIZE} bytes", headers={"Connection": "close"}
    )


def check_media_type(content_type: str, *, patch: bool = False) -> None:
    """Refuse a body that is not declared as JSON; raises HttpError 415."""
    if content_type == JSON:
        return
    media, _, parameters = content_type.partition(";")
    media = media.strip().lower()
    allowed = (JSON, MERGE_PATCH) if patch else (JSON,)
    charset = parameters.strip().lower().replace('"', "")
    if media not in allowed or (charset.startswith("charset=") and charset != "charset=utf-8"):
        raise HttpError(
            415,
            "unsupported_media_type",
            f"send {' or '.join(allowed)} in UTF-8",
            headers={"Accept-Patch" if patch else "Accept": ", ".join(allowed)},
        )


def decode_body(raw: bytes, type_: type[S]) -> S:
    """Decode *raw* as *type_*; raises BadInputError that names the place of the mistake."""
    decoder = _decoders.get(type_) or _decoders.setdefault(type_, msgspec.json.Decoder(type_))
    try:
        body: S = decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise invalid(str(error), type_=type_, sent=_decoded(raw)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise unreadable("body", raw, error) from error
    if b"\\u" in raw:
        _refuse_surrogates(raw)
    return body


def unreadable(what: str, raw: bytes | msgspec.Raw, error: Exception, pointer: str = "") -> BadInputError:
    """Return the refusal of *what* (such as the body) at *pointer*, which is no JSON that can be read."""
    message = str(error).removeprefix("JSON is malformed: ")
    if isinstance(error, UnicodeDecodeError):
        detail = f"the {what} is not UTF-8"
    elif isinstance(error, RecursionError):
        detail = f"the {what} is nested too deeply"
    elif not bytes(raw).strip():
        detail = f"the {what} is empty: send JSON"
    elif _HALF_CHARACTER.search(raw):
        detail = f"the {what} has a half of a character: \\ud800 to \\udfff are written in pairs"
    elif message == "Input data was truncated":
        detail = f"the {what} is not JSON: it ends before its last bracket or quotation mark"
    else:
        detail = f"the {what} is not JSON: {message}"
    return BadInputError(detail, pointer, code="invalid_json")


def _decoded(raw: bytes) -> Any:
    """Return the JSON of a small body, for a sentence that repeats a part of it."""
    if len(raw) > _REPEATED:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _refuse_surrogates(raw: bytes) -> None:
    r"""Refuse an unpaired `\ud800`, which JSON allows and UTF-8 does not."""
    if rb"\ud" not in raw.lower():
        return
    try:
        msgspec.json.encode(msgspec.json.decode(raw))
    except (UnicodeEncodeError, msgspec.MsgspecError) as error:
        raise BadInputError("the body has an unpaired surrogate", "", code="invalid_json") from error


def _without_its_middle(message: str) -> str:
    if len(message) <= 2 * _MESSAGE_READ:
        return message
    return f"{message[:_MESSAGE_READ]}…{message[-_MESSAGE_READ:]}"


def invalid(message: str, prefix: str = "", type_: Any = None, sent: Any = None) -> BadInputError:
    """Return the refusal for a message of msgspec, with the JSON pointer of the place below *prefix*.

    *type_* is what was decoded: its choices and limits are part of the sentence. *sent* is the input, where a
    sentence may repeat a part of it.
    """
    message = _without_its_middle(message)
    match = _AT.fullmatch(message)
    detail, path = match.groups() if match else (message, "$")
    pointer = prefix + json_pointer(path)
    unknown = _UNKNOWN.match(detail)
    if unknown:
        name = unknown.group(1)[:_NAME_SHOWN]
        return BadInputError(
            unknown_field(name, type_, path), f"{pointer}/{escaped(name)}", code="unknown_field"
        )
    error = BadInputError(sentence(detail, type_, path, sent), pointer)
    if pointer:
        error.detail = f"{pointer.removeprefix('/')}: {error.detail}"
    return error
