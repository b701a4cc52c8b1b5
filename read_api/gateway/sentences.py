"""What to write instead: every refusal of a decoder becomes a sentence here."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import inspect

from domain.near_names import did_you_mean
from read_api.gateway.patterns import corrected, correction_of

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNITS = {"str": "characters", "array": "items", "object": "fields"}
_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
Place = inspect.Type | None
"""The type at the place of a mistake, with its constraints; None where it is not known."""

_EMPTY = ("NoneType", "UnsetType")
_NAMED = 60
"""How many characters of a wrong value a sentence repeats."""


def sentence(message: str, type_: Any, path: str, sent: Any = None) -> str:
    """Return what to write where msgspec says *message* of the place *path* (such as `$.name`) in *type_*.

    *sent* is the whole input, where it is known.
    """
    if (pattern := corrected(message, value_at(sent, path))) != message:
        return pattern
    place = place_of(type_, path)
    for grammar, write in _GRAMMAR:
        if match := grammar.fullmatch(message):
            return write(place, match)
    return message


def unknown_field(name: str, type_: Any, path: str) -> str:
    """Return the sentence about a field that the object at *path* does not have."""
    place = place_of(type_, path)
    known = [field.encode_name for field in place.fields] if isinstance(place, inspect.StructType) else []
    choice = f": {did_you_mean(name, known)}" if known else ": there are no fields here"
    return f"unknown field `{_shortened(name)}`{choice}"


def value_at(sent: Any, path: str) -> Any:
    """Return what was sent at *path*, None where there is nothing."""
    value = sent
    for name, index in _STEP.findall(path):
        try:
            value = value[name or int(index)]
        except (LookupError, TypeError, ValueError):
            return None
    return value


def place_of(type_: Any, path: str) -> Place:
    """Return the type at *path*, with its constraints; None where that is not known."""
    if type_ is None:
        return None
    info: inspect.Type | None = inspect.type_info(type_)
    for name, index in _STEP.findall(path):
        info = _bare(info)
        if name and isinstance(info, inspect.StructType):
            info = next((field.type for field in info.fields if field.encode_name == name), None)
        elif index:
            info = getattr(info, "item_type", None)
        else:
            return None
    return _bare(info)


def _bare(info: Any) -> Place:
    """Return the type inside of metadata, and of a union with null or with nothing."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        options = [_bare(each) for each in info.types if type(each).__name__ not in _EMPTY]
        return options[0] if len(options) == 1 else info
    return info  # type: ignore[no-any-return] # it is a type of msgspec


def _missing(_: Place, match: re.Match[str]) -> str:
    return f"write {match[1]} too: it is required"


def _choices(place: Place, match: re.Match[str]) -> str:
    if not isinstance(place, inspect.EnumType):
        return f"there is no {_shortened(match[1])}: choose another"
    value = match[1].strip("'")
    return f"there is no {_shortened(value)}: {did_you_mean(value, [str(each.value) for each in place.cls])}"


def _length(place: Place, match: re.Match[str]) -> str:
    kind, sign, number = match[1], match[2], int(match[3])
    least, most = getattr(place, "min_length", None), getattr(place, "max_length", None)
    unit, correction = _UNITS[kind], correction_of(getattr(place, "pattern", None))
    if correction is not None and sign == ">=" and number > 1:
        return correction
    if least is not None and most is not None and least < most:
        return f"write {least:,} to {most:,} {unit}"
    if sign == "<=":
        return f"write up to {number:,} {unit}"
    if number == 1 and sign == ">=":
        return f"write at least one {unit.removesuffix('s')}"
    return f"write {'at least ' if sign == '>=' else ''}{number:,} {unit}"


def _bound(place: Place, match: re.Match[str]) -> str:
    what = _KINDS[match[1]]
    least, most = getattr(place, "ge", None), getattr(place, "le", None)
    if least is not None and most is not None:
        return f"write {what} from {least:,} to {most:,}"
    words = {">=": "from", "<=": "up to", ">": "above", "<": "below"}
    return f"write {what} {words[match[2]]} {match[3]}"


def _too_large(place: Place, _: re.Match[str]) -> str:
    """Return what to write instead of a number that no computer's number holds, such as 1e999."""
    what = _KINDS.get(type(place).__name__.removesuffix("Type").lower())
    return f"write {what}, not a number of this size" if what else "write a smaller number"


def _kind(place: Place, match: re.Match[str]) -> str:
    expected, got = match[1], match[2]
    if isinstance(place, inspect.EnumType):
        return f"write one of {', '.join(str(each.value) for each in place.cls)}"
    what = _one_of([_KINDS.get(each, each) for each in expected.split(" | ")])
    return f"write {what}" if got is None else f"write {what}, not {_KINDS.get(got, got)}"


_GRAMMAR: tuple[tuple[re.Pattern[str], Callable[[Place, re.Match[str]], str]], ...] = (
    (re.compile(r"Object missing required field `(.*)`", re.DOTALL), _missing),
    (re.compile(r"Invalid enum value (.*)", re.DOTALL), _choices),
    (re.compile(r"Expected `(str|array|object)` of length (>=|<=|==) (\d+)"), _length),
    (re.compile(r"Expected `(int|float)` (>=|<=|>|<) (-?[\d.]+)"), _bound),
    (re.compile(r"(?:Number|Integer value) out of range"), _too_large),
    (re.compile(r"Expected `([^`]+)`(?:, got `([^`]+)`)?"), _kind),
)
"""What msgspec says, and how each of it is written here."""


def _one_of(kinds: Sequence[str]) -> str:
    return " or ".join(kinds) if len(kinds) < 3 else f"{', '.join(kinds[:-1])} or {kinds[-1]}"  # noqa: PLR2004


def _shortened(text: str) -> str:
    return text if len(text) <= _NAMED else text[:_NAMED] + "…"


def json_pointer(path: str) -> str:
    """Return a path of msgspec as a JSON pointer (RFC 6901)."""
    return "".join(f"/{escaped(name or index)}" for name, index in _STEP.findall(path))


def escaped(name: str) -> str:
    """Return *name* as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
