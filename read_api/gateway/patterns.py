"""What to write where a text does not match a pattern: refusals say that instead of the pattern."""

from domain import limits

_corrections: dict[str, str] = {}
"""By the message of msgspec."""


def pattern(regex: str, correction: str) -> str:
    """Return *regex*, and note what to write where a text does not match it."""
    _corrections[f"Expected `str` matching regex {regex!r}"] = correction
    return regex


def corrected(message: str) -> str:
    """Return what to write where *message* is that of a pattern, else *message*."""
    return _corrections.get(message, message)


pattern(limits.LINE, "write one line of text, without control characters")
pattern(limits.HANDLE, "write 1 to 39 letters, digits and hyphens, the first not a hyphen")
pattern(limits.SHA, "write 4 to 64 hexadecimal digits, in lower case")
pattern(limits.PATH, "write a path that does not begin with a slash, such as src/main.py")
pattern(limits.UUID, "write a UUID in lower case, such as 0190163d-8694-739b-aea5-966c26f8ad91")
pattern(limits.ACCOUNT_REFERENCE, "write the id of an account, or its handle after an @, such as @ada")
pattern(limits.EMAIL, "write one e-mail address, such as ada@example.org")
