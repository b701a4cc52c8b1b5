"""The names that a text mentions."""

import re

from domain.limits import HANDLE

_MENTION = re.compile(rf"(?<![\w.+%/@-])@({HANDLE[1:-1]})(?![\w@-])")  # without the anchors of the pattern
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)", re.DOTALL)
_SPAN = re.compile(r"(?<!`)(`++)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def mentioned_names(text: str) -> tuple[str, ...]:
    """Return the names that follow an `@` in *text*, as first written, each once whatever its letter case.

    An `@` inside an e-mail address, a code span or fenced code (CommonMark 0.31, 4.5 and 6.1) mentions
    nobody.
    """
    if "@" not in text:
        return ()
    names: dict[str, str] = {}
    for paragraph in _BLANK_LINE.split(_without_fences(text)):
        for name in _MENTION.findall(_SPAN.sub(" ", paragraph)):
            names.setdefault(name.lower(), name)
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
