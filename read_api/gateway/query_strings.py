"""Read the query of a request; a parameter that nobody declared is refused, never ignored."""

from collections.abc import Collection, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from read_api.gateway.bodies import invalid
from read_api.problems import BadInputError, HttpError, input_fault

S = TypeVar("S", bound=Struct)

_PARAMETERS = 100


def read_query(raw: bytes) -> dict[str, str]:
    """Return the parameters of a query string.

    Raises BadInputError where it is not percent-encoded UTF-8, has too many parameters, or has one twice.
    """
    if not raw:
        return {}
    if raw.count(b"&") >= _PARAMETERS:
        raise BadInputError(f"a query has at most {_PARAMETERS} parameters", "")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInputError("the query is not percent-encoded UTF-8", "") from error
    query = dict(pairs)
    if len(query) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInputError(f"the query parameter {twice} is given more than once: give it once", twice)
    return query


def check_parameters(query: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse the parameters that *known* does not contain; raises HttpError that names them."""
    unknown = [name for name in query if name not in known]
    if not unknown:
        return
    choice = f"takes {', '.join(sorted(known))}" if known else "takes no query parameters"
    faults = [input_fault(name, f"unknown query parameter: this path {choice}") for name in unknown]
    named = ", ".join(unknown)
    raise HttpError(
        400, "invalid_input", f"unknown query parameter {named}: this path {choice}", faults=faults
    )


def decode_query(query: Mapping[str, str], type_: type[S]) -> S:
    """Convert query parameters to *type_*; raises BadInputError that names the parameter."""
    given = {name: query[name] for name in type_.__struct_encode_fields__ if name in query} if query else {}
    try:
        read = msgspec.convert(given, type_, strict=False)
    except msgspec.ValidationError as error:
        fault = invalid(str(error), type_=type_).faults[0]
        name = fault.pointer.removeprefix("/")
        sentence = fault.detail.removesuffix(", not a text").replace(" or null", "")  # a query is text
        raise BadInputError(f"query parameter {name}: {sentence}", name) from error
    for name, field in zip(type_.__struct_encode_fields__, type_.__struct_fields__, strict=True):
        if name in given and getattr(read, field) is None:  # the text `null`: a query is text
            raise BadInputError(f"query parameter {name}: give it a value, or leave it out", name)
    return read
