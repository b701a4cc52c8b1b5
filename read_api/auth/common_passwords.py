"""The most common passwords of breached sites, from the list that zxcvbn ships."""

from functools import cache

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from domain.errors import InvalidError

_SHORTEST_PART = 4


def check_password(password: str, *, email: str, name: str, pointer: str = "/password") -> None:
    """Raise InvalidError, with *pointer*, for a common password and for the account's own name or address."""
    lowered = password.strip().lower()
    if lowered in _common():
        raise InvalidError(
            "this password is one of the most common ones: choose another",
            code="password_common",
            pointer=pointer,
        )
    own = {part.lower() for part in (email, email.partition("@")[0], name) if len(part) >= _SHORTEST_PART}
    if lowered in own:
        raise InvalidError(
            "this password is your name or address: choose another", code="password_common", pointer=pointer
        )


@cache
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])
