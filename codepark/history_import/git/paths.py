"""Git's paths as text: two paths of a tree never become one."""

import re
import unicodedata
from typing import Final

from domain.limits import PATH_LENGTH

_LONE_BYTES: Final = range(0xDC80, 0xDD00)  # where surrogateescape puts the bytes that are not UTF-8
_ESCAPED: Final = re.compile("%(25|[018-9A-F][0-9A-F]|7F)")
"""What `path_text` writes for a byte: a control character, a byte that is not ASCII, or the percent sign."""

_ESCAPED_BYTES: Final = re.compile(_ESCAPED.pattern.encode())


def path_text(path: bytes) -> str:
    """Return *path* with each byte that is not UTF-8, and each control character, percent-encoded.

    Git allows any byte but NUL in a name, the API neither of those. A path without them is unchanged, percent
    signs included, unless it reads like the encoding of one that has them (`a%FF`): then its percent signs
    are encoded too. So different paths have different texts.
    """
    text = path.decode("utf-8", "surrogateescape")
    if text.isprintable() and "%" not in text:
        return text
    if not _is_odd(text) and not _reads_like_odd(text):
        return text
    return "".join(map(_escaped, _ESCAPED.sub(r"%25\1", text)))


def _is_odd(text: str) -> bool:
    return any(_needs_escape(character) for character in text)


def _reads_like_odd(text: str) -> bool:
    """Return whether *text*, decoded once or several times, is a path that has to be encoded."""
    for _ in range(PATH_LENGTH):  # a path with more levels is too long to be imported
        decoded = _decoded(text)
        if decoded == text:
            return False
        if _is_odd(decoded):
            return True
        text = decoded
    return False


def _decoded(text: str) -> str:
    encoded = text.encode("utf-8", "surrogateescape")
    raw = _ESCAPED_BYTES.sub(lambda match: bytes.fromhex(match[1].decode()), encoded)
    return raw.decode("utf-8", "surrogateescape")


def _needs_escape(character: str) -> bool:
    return ord(character) in _LONE_BYTES or unicodedata.category(character) == "Cc"


def _escaped(character: str) -> str:
    if ord(character) in _LONE_BYTES:
        return f"%{ord(character) - 0xDC00:02X}"
    if unicodedata.category(character) == "Cc":
        return "".join(f"%{byte:02X}" for byte in character.encode())
    return character
