"""Which names a mistyped one may stand for."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100
_NEAR = 0.6


def near(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return those of *known* that are most like *name*, the nearest first; none for a very long name."""
    return get_close_matches(name, list(known), most, _NEAR) if len(name) <= _LONGEST else []


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "did you mean …?", or the whole choice where nothing is near, as the end of a sentence."""
    choice = list(known)
    nearest = near(name, choice)
    return f"did you mean {' or '.join(nearest)}?" if nearest else f"choose from {', '.join(choice)}"
