"""The words of a text, as full-text search compares them in every store: without case and diacritics.

Japanese, Chinese, Korean, Thai and some other scripts do not separate words as others do. A run of them is
kept as all of its ends, so that what a caller searches for is found wherever it stands in the run.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from msgspec import Struct

ENDS = 8
"""How many characters of each end of a run are kept; longer texts are searched for in pieces as long."""

_ASCII_WORD = re.compile(r"[^\W_]+")
_STEP = ENDS // 2
_ABOVE_AND_BELOW = 200
_VOWEL_POINTS = range(10, 37)  # of Hebrew, Arabic and Syriac, which most people leave out
_UNSEGMENTED = re.compile(
    "["
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f"
    "\u2e80-\u2fdf\u3005-\u3007\u3031-\u3035\u303b-\u303c\u3041-\u30ff\u3100-\u318f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua9ff\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    "]"
)


class Term(Struct, frozen=True):
    """What a text must contain: a word or, where only its beginning is known, one that begins with it."""

    text: str
    prefix: bool


def words(text: str) -> list[str]:
    """Return the words and the runs of *text* in order, normalised.

    Words consist of letters, digits and the marks on them; everything else separates them, so that `C++` is
    found as `c`. Case and diacritics do not count: `Café` and `CAFE` are one word.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return list(_split(_folded(text)))


def index_terms(texts: Iterable[object]) -> list[str]:
    """Return the different terms that all *texts* are found by, sorted; a value that is no text has none."""
    found: set[str] = set()
    for text in texts:
        for word in words(text) if isinstance(text, str) else ():
            if not word.isascii() and is_run(word):
                found.update(word[start : start + ENDS] for start in range(len(word)))
            else:
                found.add(word)
    return sorted(found)


def query_terms(text: str) -> list[Term]:
    """Return the terms that a text must have to be found by *text*, each once; none where it has no words."""
    searched = words(text)
    terms: dict[Term, None] = {}
    for place, word in enumerate(searched, start=1):
        if not is_run(word):
            terms[Term(word, place == len(searched))] = None
        elif len(word) <= ENDS:
            terms[Term(word, prefix=True)] = None
        else:
            starts = {*range(0, len(word) - ENDS, _STEP), len(word) - ENDS}
            terms |= dict.fromkeys(Term(word[start : start + ENDS], prefix=False) for start in sorted(starts))
    return list(terms)


def is_run(word: str) -> bool:
    """Return whether *word* is a run of a script that does not separate words."""
    return _UNSEGMENTED.match(word) is not None


def _folded(text: str) -> str:
    """Return *text* without case and diacritics, its characters composed."""
    folded = _without_marks(_without_marks(text).casefold())
    return unicodedata.normalize("NFC", folded)


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not _is_diacritic(character))


def _is_diacritic(character: str) -> bool:
    """Return whether *character* is a mark that search ignores; marks of kana and Thai belong to the word."""
    position = unicodedata.combining(character)
    return position >= _ABOVE_AND_BELOW or position in _VOWEL_POINTS


def _split(text: str) -> Iterator[str]:
    """Yield the words and the runs of a folded text."""
    start, run = 0, False
    for place, character in enumerate(text):
        belongs = character.isalnum() or unicodedata.category(character)[0] == "M"
        if not belongs:
            if start < place:
                yield text[start:place]
            start = place + 1
            continue
        unsegmented = _UNSEGMENTED.match(character) is not None
        if start == place:
            run = unsegmented
        elif unsegmented is not run and unicodedata.category(character)[0] != "M":
            yield text[start:place]
            start, run = place, unsegmented
    if start < len(text):
        yield text[start:]
