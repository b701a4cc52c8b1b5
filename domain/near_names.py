"""Which names a mistyped one may stand for."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100
_NEAR = 0.6
_FEW = 8


def near(name: str, known: Iterable[str], *, most: int = 3, likeness: float = _NEAR) -> list[str]:
    """Return those of *known* that are most like *name*, the nearest first; none for a very long name."""
    return get_close_matches(name, list(known), most, likeness) if len(name) <= _LONGEST else []


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about a wrong name: what it may stand for, or the choice."""
    choice = list(known)
    nearest = near(name, choice)
    if nearest:
        return f"did you mean {' or '.join(nearest)}?"
    if len(choice) <= _FEW:
        return f"choose from {', '.join(choice)}"
    return f"choose another, such as {', '.join(near(name, choice, likeness=0.0) or choice[:3])}"
