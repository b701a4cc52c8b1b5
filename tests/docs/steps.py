"""Read the steps of a "how to change" page, and take them in a copy of the tree.

Each fenced block of such a page is a step:

- A `diff` changes the file that the text before it names last, in backticks. The lines that begin with a
  space or `-` must occur in that file, together and exactly once; the lines that begin with a space or `+`
  replace them. `@@` divides a block into parts, each of which is looked for separately.
- `python` is a new file, with the name that the text before it names last.
- `sh` is run in the copy, and must succeed.
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_PATH = re.compile(r"`([\w./-]+/[\w.-]+\.\w+)`")


class StepError(Exception):
    """A step of a page cannot be taken: the page does not fit the code."""


@dataclass(frozen=True)
class Step:
    """A block of a page: its language, the file that it is about, and its line."""

    language: str
    path: str
    text: str
    line: int


def steps(page: str) -> list[Step]:
    """Return the steps of *page*; raise StepError for a block that is no step."""
    result, before = [], 0
    for block in _BLOCK.finditer(page):
        line = page.count("\n", 0, block.start()) + 1
        language = block[2]
        named = _PATH.findall(page, before, block.start())
        if language not in ("diff", "python", "sh"):
            raise StepError(f"line {line}: a block of {language or 'no language'} is no step")
        if language != "sh" and not named:
            raise StepError(f"line {line}: no file is named before this block")
        result.append(Step(language, named[-1] if named else "", textwrap.dedent(block[3]), line))
        before = block.end()
    return result


def patched(text: str, diff: str) -> str:
    """Return *text* with each part of *diff* applied; raise StepError if one does not fit exactly once."""
    for part in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = part.splitlines()
        old = "".join(line[1:] + "\n" for line in lines if line[:1] in ("", " ", "-"))
        new = "".join(line[1:] + "\n" for line in lines if line[:1] in ("", " ", "+"))
        wrong = [line for line in lines if line[:1] not in ("", " ", "-", "+")]
        if wrong:
            raise StepError(f"a line of a diff begins with a space, `-` or `+`, not so: {wrong[0]}")
        if not old.strip():
            raise StepError(f"nothing says where this goes:\n{part}")
        places = f"\n{text}".count(f"\n{old}")
        if places != 1:
            raise StepError(f"this stands in the file {places} times, not once:\n{old}")
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
    return text


def take(step: Step, root: Path) -> None:
    """Change or write the file of *step* below *root*; raise StepError if it does not fit."""
    file = root / step.path
    if step.language == "python":
        if file.exists():
            raise StepError(f"line {step.line}: {step.path} is there already")
        file.write_text(step.text, encoding="utf-8")
        return
    if not file.exists():
        raise StepError(f"line {step.line}: there is no {step.path}")
    try:
        file.write_text(patched(file.read_text(encoding="utf-8"), step.text), encoding="utf-8")
    except StepError as error:
        raise StepError(f"line {step.line}, {step.path}: {error}") from error
