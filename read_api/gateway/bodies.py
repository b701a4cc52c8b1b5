"""Read a request's body as the contract allows it."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from domain.limits import BODY_SIZE
from read_api.gateway.problems import BadInputError, HttpError

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

S = TypeVar("S", bound=Struct)

_AT = re.compile(r" - at `(\$.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def check_media_type(content_type: str, *, patch: bool) -> None:
    """Refuse a body that does not say that it is JSON; raises HttpError 415."""
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


def check_length(content_length: str | None) -> None:
    """Refuse a body whose announced length is over the limit; raises HttpError 413."""
    if content_length is not None and content_length.isdecimal() and int(content_length) > BODY_SIZE:
        raise too_large()


def too_large() -> HttpError:
    """Return the refusal of a body over the limit."""
    return HttpError(
        413, "too_large", f"a body may have up to {BODY_SIZE} bytes", headers={"Connection": "close"}
    )


def decode_body(raw: bytes, type_: type[S]) -> S:
    """Read *raw* as *type_*; raises BadInputError that names the place."""
    decoder = _decoders.get(type_) or _decoders.setdefault(type_, msgspec.json.Decoder(type_))
    try:
        decoded: S = decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from error
    except UnicodeDecodeError as error:
        raise BadInputError("the body is not UTF-8", "", code="invalid_json") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(f"the body is not JSON: {error}", "", code="invalid_json") from error
    _check_surrogates(raw)
    return decoded


def _check_surrogates(raw: bytes) -> None:
    r"""Refuse `\ud800` and its like, which JSON allows and UTF-8 does not."""
    if rb"\ud" not in raw.lower():
        return
    try:
        msgspec.json.encode(msgspec.json.decode(raw))
    except (UnicodeEncodeError, msgspec.MsgspecError) as error:
        raise BadInputError("the body holds half a surrogate pair", "", code="invalid_json") from error


def invalid(message: str, prefix: str = "") -> BadInputError:
    """Return the refusal for a validation message, with the JSON pointer of its place."""
    place = _AT.search(message)
    detail = _AT.sub("", message)
    pointer = prefix + _pointer(place.group(1) if place else "$")
    unknown = _UNKNOWN.match(detail)
    if unknown:
        pointer += f"/{unknown.group(1)}"
        return BadInputError(f"unknown field `{unknown.group(1)}`", pointer, code="unknown_field")
    return BadInputError(detail, pointer)


def _pointer(path: str) -> str:
    return "".join(f"/{name or index}" for name, index in _STEP.findall(path))


def decode_query(raw: dict[str, str], type_: type[S]) -> S:
    """Read query parameters as *type_*; raises BadInputError that names the parameter."""
    names = type_.__struct_encode_fields__
    try:
        return msgspec.convert({name: raw[name] for name in names if name in raw}, type_, strict=False)
    except msgspec.ValidationError as error:
        fault = invalid(str(error)).faults[0]
        name = fault.pointer.removeprefix("/")
        raise BadInputError(f"query parameter {name}: {fault.detail}", name) from error
