"""Nothing that a history contains makes the importer take much memory."""

import gzip
import json
import lzma
import tracemalloc
import zlib

import pytest

from codepark.history_import.commands import parts_of
from codepark.history_import.git import trees
from codepark.history_import.histories import open_history
from codepark.history_import.lines import LONGEST_LINE
from codepark.history_import.source import HistoryError
from tests.unit.importing.repositories.builders import commit_of

MEGABYTE = 1024 * 1024


@pytest.fixture
def peak():
    """Give the function that returns the memory that reading a history takes at most, in bytes."""

    def measure(path):
        tracemalloc.start()
        try:
            history = open_history(path)
            for commit in history.commits():
                for _ in parts_of(commit):
                    pass
            history.close()
        except HistoryError as error:
            return tracemalloc.get_traced_memory()[1], str(error)
        else:
            return tracemalloc.get_traced_memory()[1], None
        finally:
            tracemalloc.stop()

    return measure


def line(files):
    return {
        "sha": "a1b2",
        "parents": [],
        "author_name": "Ada",
        "authored_at": "2026-01-01T00:00:00Z",
        "message": "m",
        "files": files,
    }


@pytest.mark.parametrize("opener", [gzip.open, lzma.open, open])
def test_a_line_without_end_is_refused(peak, tmp_path, opener):
    path = tmp_path / {gzip.open: "h.jsonl.gz", lzma.open: "h.jsonl.xz", open: "h.jsonl"}[opener]
    with opener(path, "wb") as file:
        for _ in range(60):
            file.write(b" " * MEGABYTE)
    size, reason = peak(path)
    assert reason == (
        f"{path}, line 1 is longer than {LONGEST_LINE // MEGABYTE} MiB: give the largest of its files "
        "without content"
    )
    assert size < 80 * MEGABYTE


def test_a_dictionary_that_takes_much_memory_is_refused(peak, tmp_path):
    path = tmp_path / "h.jsonl.xz"
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 * MEGABYTE, "mf": lzma.MF_HC3}]
    with lzma.open(path, "wb", filters=filters) as file:
        file.write(b"{}\n")
    _, reason = peak(path)
    assert "cannot be read after line 0" in reason


@pytest.mark.parametrize("character", ["a", "\x1b", "\U0001f600"])
def test_a_long_line_is_read_file_by_file(peak, tmp_path, character):
    text = character * (4 * MEGABYTE // len(character.encode()))
    files = [{"path": f"f{n}", "status": "A", "content": text} for n in range(6)]
    path = tmp_path / "h.jsonl"
    lines = json.dumps(line(files if character == "a" else files[:1]), ensure_ascii=False)
    path.write_text(lines)
    size, reason = peak(path)
    assert reason is None
    assert size < 110 * MEGABYTE


def test_a_text_that_is_too_large_is_recorded_without_content(peak, tmp_path):
    path = tmp_path / "h.jsonl"
    contents = {"large": "a" * (30 * MEGABYTE), "small": "x"}
    files = [{"path": name, "status": "A", "content": content} for name, content in contents.items()]
    path.write_text(json.dumps(line(files)))
    size, reason = peak(path)
    assert reason is None
    assert size < 130 * MEGABYTE
    history = open_history(path)
    (contents,) = ([change.content for change in commit.changes] for commit in history.commits())
    assert contents == [None, "x"]


def loose(repository, kind, size):
    """Write an object of zeros that is small on the disk; return its id."""
    sha = repository.store(kind, b"")[:-2] + "ff"
    engine = zlib.compressobj()
    path = repository.path / ".git/objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(engine.compress(f"{kind} {size}\0".encode()))
        for _ in range(100):
            file.write(engine.compress(bytes(MEGABYTE)))
        file.write(engine.flush())
    return sha


@pytest.mark.parametrize(("size", "damaged"), [(100 * MEGABYTE, False), (100, True)])
def test_a_file_that_is_small_on_the_disk_alone(peak, repository, size, damaged):
    sha = loose(repository, "blob", size)
    commit_of(repository, repository.store("tree", b"100644 a\0" + bytes.fromhex(sha)))
    used, reason = peak(repository.path)
    assert used < 20 * MEGABYTE
    assert ("is damaged" in (reason or "")) == damaged


@pytest.mark.parametrize("kind", ["tree", "commit"])
def test_a_tree_or_commit_that_is_too_large(peak, repository, kind):
    sha = loose(repository, kind, 100 * MEGABYTE)
    if kind == "tree":
        sha = commit_of(repository, sha)
    (repository.path / ".git/refs/heads/main").write_text(sha + "\n")
    used, reason = peak(repository.path)
    assert used < 20 * MEGABYTE
    assert f"{sha} is " in reason


def test_large_files_are_not_in_memory_together(peak, repository):
    for number in range(16):
        repository.write(f"f{number}", f"{number}" + "a" * (4 * MEGABYTE))
    repository.write("huge", bytes(40 * MEGABYTE))
    repository.commit()
    repository.git("gc", "-q")
    used, reason = peak(repository.path)
    assert (used < 50 * MEGABYTE, reason) == (True, None)


def test_a_tree_that_contains_itself_many_times_is_refused(peak, repository, monkeypatch):
    monkeypatch.setattr(trees, "MOST_CHANGES", 5_000)
    tree = repository.store("tree", b"100644 a\0" + bytes.fromhex(repository.store("blob", b"")))
    for _ in range(8):
        entries = (b"40000 d%d\0" % n + bytes.fromhex(tree) for n in range(10))
        tree = repository.store("tree", b"".join(entries))
    commit_of(repository, tree)
    _, reason = peak(repository.path)
    assert "changes more than" in reason
