"""No text that a user or a developer reads contains a word that docs/explanation/style.md refuses."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLE = ROOT / "docs" / "explanation" / "style.md"
PACKAGES = (
    "bench",
    "codepark",
    "commands",
    "devservers",
    "docs",
    "domain",
    "insights",
    "processes",
    "projections",
    "read_api",
    "streams",
)


def refused_words() -> list[str]:
    """Return the first column of the page's last table, phrase by phrase."""
    table = STYLE.read_text(encoding="utf-8").partition("## Words that a test refuses")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


WORDS = re.compile(
    r"\b(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in refused_words()) + r")\b",
    re.IGNORECASE,
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file with their lines: a whole page, or the strings and comments of a module."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield 1, source
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def refused(path: Path) -> list[str]:
    """Return the refused words in a file, each with its place."""
    return [
        f"{path.relative_to(ROOT)}:{line + text.count(chr(10), 0, match.start())}: {match[0]}"
        for line, text in texts(path)
        for match in WORDS.finditer(text)
    ]


def pages() -> list[Path]:
    """Return every page, written by hand or generated."""
    return [path for path in (ROOT / "docs").rglob("*.md") if path != STYLE]


def findings() -> list[str]:
    """Return every refused word with its place."""
    modules = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    files = [*modules, *pages(), ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "Makefile"]
    return sorted({place for path in files for place in refused(path)})


def test_the_refused_words_stand_nowhere():
    places = findings()
    assert not places, "\n".join(["docs/explanation/style.md says what to write instead:", *places])


def test_the_page_lists_them():
    assert {"anew", "whoever", "tell whether", "beside", "of late"} <= set(refused_words())


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('"""Build it Anew."""\n', [1]),
        ("x = 1  # made anew\n", [1]),
        ('x = """\none is\n  told"""\n', [2]),
        ("anew = 1\n", []),
        ('x = "renewed, besides, no more than two"\n', []),
    ],
)
def test_strings_and_comments_are_read_and_names_are_not(tmp_path, monkeypatch, source, lines):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "module.py").write_text(source)
    assert [int(place.split(":")[1]) for place in refused(tmp_path / "module.py")] == lines
