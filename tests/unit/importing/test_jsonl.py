import gzip
import json
import lzma
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from codepark.history_import.histories import open_history
from codepark.history_import.jsonl import JsonlHistory
from codepark.history_import.source import HistoryError, SourceChange, kept_text, text_of

DATA = Path(os.environ.get("CODEPARK_SHARED_DATA", Path(__file__).parents[3].parent / "shared/data"))
REAL = DATA / "history-starlette.jsonl.xz"


def record(sha="a1", **changes):
    return {
        "sha": sha,
        "parents": [],
        "author_name": "Ada",
        "author_email_hash": "12ab@example.invalid",
        "authored_at": "2018-06-25T14:15:32+01:00",
        "message": "Initial commit",
        "files": [],
        **changes,
    }


def lines(*records):
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def write(path, data):
    openers = {".gz": gzip.open, ".xz": lzma.open}
    with openers.get(path.suffix, open)(path, "wb") as file:
        file.write(data)
    return path


def only(path):
    (commit,) = all_of(path)
    return commit


def all_of(path):
    return [replace(commit, changes=tuple(commit.changes)) for commit in open_history(path).commits()]


@pytest.mark.parametrize("name", ["h.jsonl", "h.jsonl.gz", "h.jsonl.xz"])
def test_each_form_is_read(tmp_path, name):
    history = open_history(write(tmp_path / name, lines(record("a"), record("b", parents=["a"]))))
    assert (history.name, len(history.outline())) == ("h", 2)
    assert [(commit.sha, commit.parents) for commit in history.commits()] == [("a", ()), ("b", ("a",))]
    history.close()


def test_a_commit_has_what_its_line_says(tmp_path):
    commit = only(write(tmp_path / "h.jsonl", lines(record())))
    assert (commit.author_name, commit.author_email) == ("Ada", "12ab@example.invalid")
    assert (commit.authored_at, commit.message) == ("2018-06-25T14:15:32+01:00", "Initial commit")


def test_changes_put_deletions_first_and_ignore_line_counts(tmp_path):
    files = [
        {"path": "new.py", "status": "A", "added": 1, "deleted": 0, "content": "x = 1\n"},
        {"path": "old.py", "status": "D", "added": 0, "deleted": 1, "content": None},
        {"path": "bin", "status": "M", "added": None, "deleted": None, "content": "\0"},
    ]
    assert only(write(tmp_path / "h.jsonl", lines(record(files=files)))).changes == (
        SourceChange(path="old.py", status="D", content=None),
        SourceChange(path="bin", status="M", content=None),
        SourceChange(path="new.py", status="A", content="x = 1\n"),
    )


def test_the_address_may_be_missing(tmp_path):
    without = record()
    del without["author_email_hash"]
    assert only(write(tmp_path / "h.jsonl", lines(without))).author_email is None


def test_blank_lines_and_a_missing_last_newline_are_nothing(tmp_path):
    history = open_history(
        write(tmp_path / "h.jsonl", b"\n" + lines(record()) + b"\n  \n" + lines(record()).strip())
    )
    assert len(history.outline()) == len(list(history.commits())) == 2


def test_an_empty_file_is_an_empty_history(tmp_path):
    history = open_history(write(tmp_path / "h.jsonl", b""))
    assert (len(history.outline()), list(history.commits())) == (0, [])


@pytest.mark.parametrize(
    "line",
    [
        b"{not json}",
        b"[]",
        b'{"sha": "b"}',
        b'"\xff"',
        json.dumps(record(authored_at="yesterday")).encode(),
        json.dumps(record(authored_at="2018-06-25T14:15:32")).encode(),
        json.dumps(record(files=[{"path": "a", "status": "R"}])).encode(),
        json.dumps(record(message="\ud800")).encode(),
    ],
)
def test_a_malformed_line_is_named_after_those_before_it(tmp_path, line):
    commits = open_history(write(tmp_path / "h.jsonl", lines(record()) + line + b"\n")).commits()
    assert next(commits).sha == "a1"
    with pytest.raises(HistoryError, match="line 2"):
        next(commits)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_truncated_file_is_an_error(tmp_path, suffix):
    path = write(
        tmp_path / f"h.jsonl{suffix}",
        lines(*(record(str(n), message=os.urandom(99).hex()) for n in range(99))),
    )
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(HistoryError, match="cannot be read after line"):
        list(open_history(path).commits())


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_file_that_is_not_compressed_is_an_error(tmp_path, suffix):
    path = tmp_path / f"h.jsonl{suffix}"
    path.write_bytes(lines(record()))
    with pytest.raises(HistoryError, match="cannot be read after line 0"):
        open_history(path).outline()


def test_what_is_no_history_is_refused_with_what_is_accepted(tmp_path):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "folder").mkdir()
    for name in ("a.txt", "folder", "missing"):
        with pytest.raises(HistoryError, match=r"git repository .* or a \.jsonl"):
            open_history(tmp_path / name)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=st.binary(max_size=200))
def test_any_line_is_a_commit_or_an_error(tmp_path, line):
    path = write(tmp_path / "h.jsonl", line)
    try:
        for commit in JsonlHistory(path).commits():
            tuple(commit.changes)
    except HistoryError as error:
        assert "line" in str(error)  # noqa: PT017 # both outcomes are right


@given(text=st.text())
def test_text_is_kept_as_its_bytes_would_be(text):
    assert kept_text(text) == text_of(text.encode())


@pytest.mark.parametrize("size", [2_621_440, 2_621_441])
def test_size_is_counted_in_bytes(size):
    text = "é" * size
    assert (kept_text(text) is None) == (text_of(text.encode()) is None) == (size > 2_621_440)


@pytest.mark.skipif(
    not REAL.exists(), reason="the shared history is not here; name its folder in CODEPARK_SHARED_DATA"
)
def test_a_real_history_is_one_line_of_first_parents():
    history = open_history(REAL)
    commits = list(history.commits())
    assert len(history.outline()) == len(commits) == 1347
    assert commits[0].parents == ()
    assert all(after.parents == (before.sha,) for before, after in pairwise(commits))
