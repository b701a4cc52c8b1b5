"""What to write where a text does not match a pattern: refusals say that instead of the pattern."""

import re
from collections.abc import Iterable

from domain import limits
from domain.near_names import did_you_mean

_corrections: dict[str, str] = {}
"""By the message of msgspec."""

_choices: dict[str, tuple[str, tuple[str, ...]]] = {}
"""By the message of msgspec: what a text is one of, and the choice."""

_SHOWN = 60


def pattern(regex: str, correction: str) -> str:
    """Return *regex*, and note what to write where a text does not match it."""
    _corrections[f"Expected `str` matching regex {regex!r}"] = correction
    return regex


def choice(names: Iterable[str], what: str) -> str:
    """Return the pattern of one of *names*, each *what*; a refusal of another text says what is near it."""
    known = tuple(names)
    regex = pattern(f"^({'|'.join(map(re.escape, known))})$", f"write {what}, such as {known[0]}")
    _choices[f"Expected `str` matching regex {regex!r}"] = (what, known)
    return regex


def corrected(message: str, value: object = None) -> str:
    """Return what to write where *message* is that of a pattern, else *message*; *value* is what was sent."""
    if message in _choices and isinstance(value, str):
        what, known = _choices[message]
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
        return f"{shown} is not {what}: {did_you_mean(value, known)}"
    return _corrections.get(message, message)


def correction_of(regex: str | None) -> str | None:
    """Return what to write so that a text matches *regex*."""
    return _corrections.get(f"Expected `str` matching regex {regex!r}")


pattern(limits.LINE, "write one line of text, without control characters")
pattern(limits.HANDLE, "write 1 to 39 letters, digits and hyphens, the first not a hyphen")
pattern(limits.SHA, "write 4 to 64 hexadecimal digits, in lower case")
pattern(limits.PATH, "write a path that does not begin with a slash, such as src/main.py")
pattern(limits.UUID, "write a UUID in lower case, such as 0190163d-8694-739b-aea5-966c26f8ad91")
pattern(limits.ACCOUNT_REFERENCE, "write the id of an account, or its handle after an @, such as @ada")
pattern(limits.EMAIL, "write one e-mail address, such as ada@example.org")
