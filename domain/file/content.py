"""The size and the hash of a file's content."""

import binascii
import hashlib

from domain.errors import InvalidError, TooLargeError
from domain.file.events import Encoding
from domain.limits import FILE_SIZE

_CHARACTERS = 4_096
"""Storing so many characters takes as long as a small command."""


def weight_of(content: str | None) -> int:
    """Return as how many small commands it counts to write a file with this *content*."""
    return 1 if content is None else 1 + len(content) // _CHARACTERS


def measure(
    content: str | None, encoding: Encoding | None, *, pointer: str = "/content"
) -> tuple[int, str | None]:
    """Return the size of the decoded *content* in bytes and its SHA-256 in hex; `(0, None)` without content.

    Without an *encoding* the content is text in UTF-8.

    Raises:
        InvalidError: the content does not have its encoding.
        TooLargeError: the decoded content is larger than a file may be.
    """
    if content is None:
        return 0, None
    data = _decoded(content, encoding, pointer)
    if len(data) > FILE_SIZE:
        raise TooLargeError(f"a file has at most {FILE_SIZE} bytes", pointer=pointer)
    return len(data), hashlib.sha256(data).hexdigest()


def _decoded(content: str, encoding: Encoding | None, pointer: str) -> bytes:
    if encoding is Encoding.BASE64:
        try:
            return binascii.a2b_base64(content, strict_mode=True)
        except ValueError as error:
            raise InvalidError("the content is not base64 (RFC 4648, section 4)", pointer=pointer) from error
    try:
        return content.encode()
    except UnicodeEncodeError as error:
        raise InvalidError(
            "the content has unpaired surrogates: send it as base64", pointer=pointer
        ) from error
