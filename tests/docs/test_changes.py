"""The pages that say how to change CodePark are followed in a copy of the tree, and the result is run."""

import shutil

import pytest

from tests.docs.scratch import ROOT, Scratch
from tests.docs.steps import StepError, patched

HOW_TO = ROOT / "docs" / "how-to"
TESTS = (
    "tests/unit/domain",
    "tests/unit/projections",
    "tests/unit/commands/test_mapper.py",
    "tests/unit/streams/public",
    "tests/unit/graphql/test_schema.py",
    "tests/docs/test_reference.py",
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(400),
    pytest.mark.skipif(shutil.which("make") is None, reason="the pages call make"),
]


@pytest.fixture
def scratch(tmp_path):
    return Scratch(tmp_path / "tree")


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    """A cache for the type checker that the copies share; it begins with that of this tree."""
    cache = tmp_path_factory.mktemp("types") / "cache"
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", cache)
    return cache


def check(scratch, types):
    """Check what a reader of the page has written, as CI does, without the parts that take long."""
    scratch.python("-m", "ruff", "check", ".")
    scratch.python("-m", "ruff", "format", "--check", ".")
    scratch.python("-m", "mypy", "--cache-dir", str(types))
    scratch.run("lint-imports")
    scratch.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=few", *TESTS)


def source_files(written):
    """Return the files that a person writes, without tests and golden files."""
    return [path for path in written if not path.startswith("tests/")]


def test_pages_that_are_followed_leave_a_tree_that_passes(scratch, types):
    for page in ("change-an-event.md", "add-a-projection.md"):
        scratch.follow(HOW_TO / page)
    check(scratch, types)


def test_a_new_event_command_document_and_path_work_and_take_six_files(scratch, types, tmp_path):
    event = source_files(scratch.follow(HOW_TO / "add-an-event.md"))
    assert len(event) == 5, "add-an-event.md says how many files by hand it takes"
    path = source_files(scratch.follow(HOW_TO / "add-an-endpoint.md"))
    assert path[0] == "read_api/rest/projects.py"
    check(scratch, types)
    scratch.python("-m", "tests.docs.archived_project", str(tmp_path / "served"))
    without_the_law_for_versions(scratch.root)
    refused = scratch.attempt("python", "-m", "tests.docs.archived_project", str(tmp_path / "again"))
    assert refused.returncode == 1
    assert "the ETag of GET is of no use" in refused.stdout


def without_the_law_for_versions(root):
    """Leave the version of a project's document unchanged when the project is archived."""
    model = root / "projections" / "models" / "projects.py"
    shown = "        shows=Shows(events=get_args(ProjectEvent), document=lambda event: event.project_id),\n"
    left_out = shown.replace("get_args(ProjectEvent)", "tuple({*get_args(ProjectEvent)} - {ProjectArchived})")
    diff = f"-{shown}+{left_out}"
    model.write_text(patched(model.read_text(encoding="utf-8"), diff), encoding="utf-8")


def test_a_page_that_does_not_fit_the_code_is_noticed(scratch, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("In `domain/errors.py`:\n\n```diff\n-class Gone(Exception):\n```\n")
    with pytest.raises(StepError, match=r"domain/errors\.py"):
        scratch.follow(page)


def test_what_a_page_runs_must_succeed(scratch, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nmake no-such-target\n```\n")
    with pytest.raises(AssertionError, match="no-such-target"):
        scratch.follow(page)
