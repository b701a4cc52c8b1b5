"""What the name of a commit looks like."""

import re

from domain.errors import InvalidError

_SHA = re.compile(r"[0-9a-f]{4,64}")


def checked_sha(sha: str, *, pointer: str) -> str:
    """Return *sha*, or refuse what is not 4 to 64 lower-case hexadecimal digits."""
    if _SHA.fullmatch(sha) is None:
        raise InvalidError("a commit's name has 4 to 64 lower-case hexadecimal digits", pointer=pointer)
    return sha
