"""The words of a text, as full-text search compares them: without case and diacritics."""

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Return the words of *text* in order, normalised.

    Words consist of letters and digits; everything else separates them, so that `C++` is found as `c`. Case
    and diacritics do not count: `Café` and `CAFE` are one word.
    """
    folded = _without_marks(_without_marks(text).casefold())
    return _WORD.findall(folded)


def words_of(texts: Iterable[object]) -> list[str]:
    """Return the different words of all *texts*, sorted; a value that is not a text has none."""
    return sorted({word for text in texts if isinstance(text, str) for word in words(text)})


def _without_marks(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
