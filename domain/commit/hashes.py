"""The form of commit hashes."""

import re

from domain.errors import InvalidError
from domain.limits import SHA

_SHA = re.compile(SHA)


def checked_sha(sha: str, *, pointer: str) -> str:
    """Return *sha*, or refuse anything but 4 to 64 lower-case hexadecimal digits."""
    if _SHA.fullmatch(sha) is None:
        raise InvalidError("write a commit hash: 4 to 64 lower-case hexadecimal digits", pointer=pointer)
    return sha
