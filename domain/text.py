"""The rules that names and texts must follow."""

import re

from domain.errors import InvalidError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def checked_line(value: str, *, pointer: str, longest: int) -> str:
    """Return *value* stripped; refuse it where it is empty or too long, or has control characters."""
    line = value.strip()
    if not 1 <= len(line) <= longest:
        raise InvalidError(f"write between 1 and {longest} characters", pointer=pointer)
    if _CONTROL.search(line):
        raise InvalidError("leave out control characters and line breaks", pointer=pointer)
    return line


def checked_text(value: str, *, pointer: str, longest: int) -> str:
    """Return *value* as it is; refuse it where it is too long or cannot be encoded in UTF-8."""
    if len(value) > longest:
        raise InvalidError(f"write at most {longest} characters", pointer=pointer)
    if not value.isascii() and _SURROGATE.search(value):
        raise InvalidError("leave out unpaired surrogates: they have no UTF-8 form", pointer=pointer)
    return value


def checked_words(value: str, *, pointer: str, longest: int) -> str:
    """Return *value* as `checked_text` does; refuse a blank one."""
    if not value or value.isspace():
        raise InvalidError("write something", pointer=pointer)
    return checked_text(value, pointer=pointer, longest=longest)
