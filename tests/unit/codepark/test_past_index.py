"""The index of the past: what it leaves out, when it is made, and that it can always be made again."""

import os
import random
import sqlite3
import stat
import threading
import tracemalloc
from contextlib import closing

import pytest

from codepark.past import keeper
from domain.actor import SERVICE
from projections.past import index
from projections.past.entries import FileChange, Reached
from projections.queries.page import PageRequest
from read_api.past_answers import Work, WorkEndedError
from tests.support.embedded import carry_out, create_project, settled, started
from tests.support.server import eventually


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    with started(tmp_path_factory.mktemp("past") / "data") as profile:
        yield profile


def test_a_deleted_project_leaves_nothing_in_the_index(profile):
    project_id = create_project(profile, "deleted")
    carry_out(profile, "file.write", target=project_id, path="secret-plan", content="1")
    before = settled(profile)
    assert (
        profile.past.queries(project_id, before, Work())
        .files.page(project_id, "", PageRequest(), SERVICE)
        .items
    )
    assert project_id in profile.past._index.project_ids()
    carry_out(profile, "project.delete", target=project_id)
    settled(profile)
    eventually(lambda: project_id not in profile.past._index.project_ids())
    again = profile.past.queries(project_id, before, Work()).files.page(
        project_id, "", PageRequest(), SERVICE
    )
    assert [file["path"] for file in again.items] == ["secret-plan"], "auditors may still look"
    assert project_id not in profile.past._index.project_ids()


def test_a_project_that_grew_is_indexed_in_the_background(profile):
    kept = keeper.Keeper(profile.logs, profile.past._indexer, grown=5, quiet_seconds=0)
    try:
        project_id = create_project(profile, "grown")
        for number in range(5):
            carry_out(profile, "file.write", target=project_id, path="a", content=f"{number}")
        last = profile.log.tip().sequence
        eventually(lambda: profile.past._index.reached(project_id).sequence >= last)
    finally:
        kept.close()


def test_the_background_gives_way_to_what_is_appended(profile, monkeypatch):
    quiet, chunks = threading.Event(), []
    kept = keeper.Keeper(profile.logs, profile.past._indexer, grown=5, quiet_seconds=0)
    monkeypatch.setattr(kept, "_is_quiet", quiet.is_set)
    kept._work._is_quiet = lambda: chunks.append(1) or (quiet.is_set() and len(chunks) > 1)
    try:
        project_id = create_project(profile, "interrupted")
        for number in range(5):
            carry_out(profile, "file.write", target=project_id, path="a", content=f"{number}")
        last = profile.log.tip().sequence
        assert profile.past._index.reached(project_id).sequence == 0
        quiet.set()
        eventually(lambda: profile.past._index.reached(project_id).sequence >= last)
        assert len(chunks) > 1, "it was interrupted once, and went on"
    finally:
        kept.close()


def test_a_question_that_ends_does_not_wait_for_another_that_makes_the_index(profile):
    project_id = create_project(profile, "locked")
    carry_out(profile, "file.write", target=project_id, path="a", content="1")
    last, work = profile.log.tip().sequence, Work()
    for lock in profile.past._indexer._locks:
        lock.acquire()
    try:
        work.end()
        with pytest.raises(WorkEndedError):
            profile.past.queries(project_id, last, work).files.page(project_id, "", PageRequest(), SERVICE)
        with pytest.raises(WorkEndedError):
            profile.past._indexer.bring(project_id, last, work)
    finally:
        for lock in profile.past._indexer._locks:
            lock.release()


def test_an_index_of_another_log_is_made_again(tmp_path):
    with started(tmp_path / "data") as profile:
        project_id = create_project(profile, "restored")
        carry_out(profile, "file.write", target=project_id, path="a", content="1")
        last = settled(profile)
        foreign = Reached(last, b"another chain")
        profile.past._index.add(project_id, [FileChange(1, "of another log", 1, 1)], [], foreign)
        page = profile.past.queries(project_id, last, Work()).files.page(
            project_id, "", PageRequest(), SERVICE
        )
        assert [file["path"] for file in page.items] == ["a"]


def test_the_index_is_made_again_where_its_file_cannot_be_used(tmp_path):
    path = tmp_path / "past.sqlite"
    path.write_bytes(b"no database at all" * 1_000)
    made = index.PastIndex(path)
    made.add("p", [FileChange(1, "a", 1, 2)], [], Reached(1, b"c"))
    assert [file.path for file in made.files("p", 1, 10)] == ["a"]
    made.close()


def test_the_index_belongs_to_its_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        made = index.PastIndex(tmp_path / "past.sqlite")
        made.add("p", [FileChange(1, "a", 1, 2)], [], Reached(1, b"c"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        made.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}, modes


def test_an_index_of_another_version_is_made_again(tmp_path):
    path = tmp_path / "past.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE files (something TEXT)")
        other.execute("PRAGMA user_version = 99")
    made = index.PastIndex(path)
    made.add("p", [FileChange(1, "a", 1, 2)], [], Reached(1, b"c"))
    assert made.reached("p") == Reached(1, b"c")
    made.close()


def test_large_contents_are_not_held_while_the_index_is_made(profile):
    project_id = create_project(profile, "large")
    for number in range(12):
        content = random.Random(number).randbytes(1_500_000).hex()
        carry_out(profile, "file.write", target=project_id, path=f"f{number}", content=content)
    last = settled(profile)
    tracemalloc.start()
    try:
        project = profile.past.queries(project_id, last, Work()).projects.get(project_id, SERVICE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(project["files"]) == 12
    assert peak < 16 * 1024 * 1024, "of 36 MB of contents"
