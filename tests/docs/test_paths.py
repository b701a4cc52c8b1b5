"""Every file that a page names in backticks exists, or is created by following the page."""

import re
from pathlib import Path

import pytest

from tests.docs.steps import StepError, steps

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
_NAMED = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.\w+)?)(?:::\w+)?`")


def named(text: str) -> set[str]:
    """Return the paths in *text* that begin with a folder of the repository."""
    return {path for path in _NAMED.findall(text) if path.partition("/")[0] in FOLDERS}


def created(text: str) -> set[str]:
    """Return the files that following the page creates; only pages on how to change CodePark create some."""
    try:
        return {step.path for step in steps(text) if step.language == "python"}
    except StepError:
        return set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_files_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    missing = {path for path in named(text) - created(text) if not (ROOT / path).exists()}
    assert not missing, f"renamed or gone: {sorted(missing)}"


def test_what_is_taken_for_a_path():
    text = (
        "`domain/event.py`, `commands/table/`, `tests/docs/test_paths.py::named`, `<prefix>events`, `a/b.py`"
    )
    assert named(text) == {"domain/event.py", "commands/table/", "tests/docs/test_paths.py"}


def test_the_pages_that_must_name_files():
    for name in ("architecture.md", "glossary.md"):
        assert len(named((ROOT / "docs" / "explanation" / name).read_text(encoding="utf-8"))) > 30
