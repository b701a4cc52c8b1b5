"""The names that a text mentions."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from domain.limits import HANDLE, MENTIONS

_MENTION = re.compile(rf"(?<![\w.+%/@-])@({HANDLE[1:-1]})(?![\w@-])")  # without the anchors of the pattern
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)", re.DOTALL)
_BACKTICKS = re.compile("`+")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def mentioned_names(text: str) -> tuple[str, ...]:
    """Return the names that follow an `@` in *text*, as first written, each once whatever its letter case.

    An `@` inside an e-mail address, a code span or fenced code (CommonMark 0.31, 4.5 and 6.1) mentions
    nobody. Names after the first 50 mention nobody either. The time grows with the length of the text, and
    with nothing else in it.
    """
    if "@" not in text:
        return ()
    names: dict[str, str] = {}
    for paragraph in _BLANK_LINE.split(_without_fences(text)):
        for match in _MENTION.finditer(_without_spans(paragraph)):
            names.setdefault(match[1].lower(), match[1])
            if len(names) == MENTIONS:
                return tuple(names.values())
    return tuple(names.values())


def _without_fences(text: str) -> str:
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            fence = match[1]
            lines.append("")
        else:
            lines.append(line)
    return "\n".join(lines)


def _without_spans(paragraph: str) -> str:
    """Return *paragraph* with a space in place of each code span."""
    return " ".join(_outside_spans(paragraph)) if "`" in paragraph else paragraph


def _outside_spans(paragraph: str) -> Iterator[str]:
    """Yield what is between code spans: one ends at the next run of as many backticks as it begins with."""
    runs = [match.span() for match in _BACKTICKS.finditer(paragraph)]
    places: defaultdict[int, list[int]] = defaultdict(list)
    for number, (start, end) in enumerate(runs):
        places[end - start].append(number)
    outside = number = 0
    while number < len(runs):
        start, end = runs[number]
        same = places[end - start]
        following = bisect_right(same, number)
        if following == len(same):  # nothing ends this span: its backticks are text
            number += 1
            continue
        yield paragraph[outside:start]
        number = same[following]
        outside = runs[number][1]
        number += 1
    yield paragraph[outside:]
