"""Read the body and the query of a request as the contract allows them."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from domain.limits import BODY_SIZE
from read_api.gateway.patterns import corrected
from read_api.problems import BadInputError, HttpError

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

S = TypeVar("S", bound=Struct)

_QUERY_FIELDS = 100
_NAME_SHOWN = 200  # of the name of an unknown field, which the caller may have made as long as the body
_AT = re.compile(r" - at `(\$.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
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
        raise invalid(str(error)) from error
    except UnicodeDecodeError as error:
        raise BadInputError("the body is not UTF-8", "", code="invalid_json") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(f"the body is not JSON: {error}", "", code="invalid_json") from error
    if b"\\u" in raw:
        _refuse_surrogates(raw)
    return body


def _refuse_surrogates(raw: bytes) -> None:
    r"""Refuse an unpaired `\ud800`, which JSON allows and UTF-8 does not."""
    if rb"\ud" not in raw.lower():
        return
    try:
        msgspec.json.encode(msgspec.json.decode(raw))
    except (UnicodeEncodeError, msgspec.MsgspecError) as error:
        raise BadInputError("the body has an unpaired surrogate", "", code="invalid_json") from error


def invalid(message: str, prefix: str = "") -> BadInputError:
    """Return the refusal for a message of msgspec, with the JSON pointer of the place below *prefix*."""
    place = _AT.search(message)
    detail = _AT.sub("", message)
    pointer = prefix + _pointer(place.group(1) if place else "$")
    unknown = _UNKNOWN.match(detail)
    if unknown:
        name = unknown.group(1)
        shown = name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}…"
        return BadInputError(f"unknown field `{shown}`", f"{pointer}/{shown}", code="unknown_field")
    return BadInputError(corrected(detail), pointer)


def _pointer(path: str) -> str:
    return "".join(f"/{name or index}" for name, index in _STEP.findall(path))


def read_query(raw: bytes) -> dict[str, str]:
    """Return the parameters of a query string; raises BadInputError where it is not percent-encoded UTF-8."""
    if not raw:
        return {}
    try:
        text = raw.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS))
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInputError("the query is not percent-encoded UTF-8", "query") from error


def decode_query(raw: dict[str, str], type_: type[S]) -> S:
    """Convert query parameters to *type_*; raises BadInputError that names the parameter."""
    given = raw and {name: raw[name] for name in type_.__struct_encode_fields__ if name in raw}
    try:
        return msgspec.convert(given, type_, strict=False)
    except msgspec.ValidationError as error:
        fault = invalid(str(error)).faults[0]
        name = fault.pointer.removeprefix("/")
        raise BadInputError(f"query parameter {name}: {fault.detail}", name) from error
