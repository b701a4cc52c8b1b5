"""The console examples of each page run in order against a new server, and must print what it says."""

import re
import shutil
from pathlib import Path

import pytest

from tests.docs.shell import Shell, examples, matches
from tests.support.server import Server

ROOT = Path(__file__).parents[2]
PAGES = [
    page.relative_to(ROOT).as_posix()
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if examples(page.read_text(encoding="utf-8"))
]
TOOLS = ("curl", "jq", "git", "sqlite3")


def missing(page):
    """List the tools that the examples of *page* use and this machine does not have."""
    commands = " ".join(example.command for example in examples(page))
    used = ["bash", *(name for name in TOOLS if re.search(rf"\b{name}\b", commands))]
    return [name for name in used if shutil.which(name) is None]


@pytest.mark.e2e
@pytest.mark.timeout(90)
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_print_what_the_page_says(page, tmp_path):
    follow([page], tmp_path)


@pytest.mark.e2e
@pytest.mark.timeout(180)
def test_the_first_hour_follows_the_first_session(tmp_path):
    """A newcomer goes through the README, and then through the tutorial, with one server."""
    follow(["README.md", "docs/tutorials/first-hour.md"], tmp_path)


def follow(pages, folder):
    """Run the examples of *pages* in order against one new server."""
    text = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    if lacking := missing(text):
        pytest.skip(f"the examples need {', '.join(lacking)}")
    server = Server(folder / "codepark-data").start()
    shell = Shell(folder, server.url)
    try:
        for example in examples(text):
            actual = shell.run(example.command)
            assert matches(example.expected, actual), (
                f"$ {example.command}\nthe page:\n{example.expected}\nreally:\n{actual}\n{shell.errors()}"
            )
    finally:
        shell.close()
        server.stop()


def test_the_pages_that_must_have_examples():
    assert {"README.md", "docs/tutorials/first-hour.md"} <= set(PAGES)


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("", "", True),
        ("", "\n", True),
        ("", "error", False),
        ("a … c", "a b c\n", True),
        ("a … c", "a b\nc\n", False),
        ("first\n…\nlast", "first\n1\n2\nlast\n", True),
        ("first\n…\nlast", "first\nlast\n", True),
        ("[1.5]", "[1.5]", True),
        ("1.5", "145", False),
    ],
)
def test_matching(expected, actual, same):
    assert matches(expected, actual) is same


def test_reading_examples():
    page = "x\n\n```console\n$ a \\\n  b\n1\n2\n$ c\n```\n\n```sh\nmake run\n```\n"
    assert [(example.command, example.expected) for example in examples(page)] == [
        ("a \\\n  b", "1\n2"),
        ("c", ""),
    ]
