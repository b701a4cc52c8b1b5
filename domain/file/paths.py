"""The rules for the paths of files."""

import re
from functools import lru_cache

from domain.errors import InvalidError
from domain.limits import PATH_LENGTH

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BAD_SEGMENT = re.compile(r"(?:\A|/)\.{0,2}(?:/|\Z)")


def checked_path(path: str, *, pointer: str = "/path") -> str:
    """Return *path* as it is, or refuse it.

    Unicode is not normalised: like git, CodePark compares paths by their code points. Otherwise two files of
    a commit could become one, and an imported tree would not be the tree that its commit hash stands for.
    """
    fault = path_fault(path)
    if fault is not None:
        raise InvalidError(fault, code="invalid_path", pointer=pointer)
    return path


@lru_cache(
    maxsize=256
)  # a request checks its path twice: where it comes in, and where the command is decided
def path_fault(path: str) -> str | None:
    """Return what is wrong with *path* in a sentence, or None."""
    if not 1 <= len(path) <= PATH_LENGTH:
        return f"a path has between 1 and {PATH_LENGTH} characters"
    if _BAD_SEGMENT.search(path):
        return "a path has no empty, '.' or '..' segments and does not start or end with '/'"
    if _CONTROL.search(path):
        return "a path has no control characters"
    if not path.isascii() and _SURROGATE.search(path):
        return "a path has no unpaired surrogates: they have no UTF-8 form"
    return None
