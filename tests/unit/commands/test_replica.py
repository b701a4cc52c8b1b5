"""The replica: what is staged is nobody's until it is applied, and the log of its file moves beside the writer."""

import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from commands.kafka.protocol.chain_rule import Counted, Place
from commands.kafka.replica.checkpoints import Checkpoints
from commands.kafka.replica.replica import Replica
from commands.log import Snapshot, Tip
from tests.unit.commands.test_chain import a_record

PLACE = Place(log_id="l", partitions=1, next_offset=1, counted_at=0, tip=Tip(0, b"0" * 32, 0))


@pytest.fixture
def replica(tmp_path):
    found = Replica(tmp_path / "replica.sqlite", 0)
    found.apply([], PLACE)
    yield found
    found.close()


def batch(first, last, stream="project-1"):
    return [
        Counted(
            a_record(sequence=number, version=number, stream=stream, command=f"c{number}", chain=b"1" * 32)
        )
        for number in range(first, last + 1)
    ]


def behind(number):
    tip = Tip(number, bytes([number]) * 32, 0)
    return replace(PLACE, next_offset=number + 1, counted_at=number, tip=tip)


def stored(replica):
    with closing(sqlite3.connect(replica.path)) as reader:
        return [row[0] for row in reader.execute("SELECT rowid FROM stored_events ORDER BY rowid")]


def test_what_is_staged_is_seen_once_it_is_applied(replica):
    taken = batch(1, 3)
    replica.stage(taken)
    assert (stored(replica), replica.place) == ([], PLACE)
    replica.apply(taken, behind(3))
    assert (stored(replica), replica.place) == ([1, 2, 3], behind(3))


def test_what_is_staged_and_does_not_count_leaves_nothing(replica):
    replica.stage(batch(1, 3))
    replica.unstage()
    assert stored(replica) == []
    assert replica.highest_versions(["project-1"]) == {}
    replica.keep([Snapshot(stream="project-1", version=1, topic="t", state=b"")])


def test_another_batch_takes_the_place_of_what_is_staged(replica):
    replica.stage(batch(1, 3))
    replica.apply(batch(1, 1, stream="project-2"), behind(1))
    assert replica.highest_versions(["project-1", "project-2"]) == {"project-2": 1}


def test_a_process_that_dies_with_something_staged_leaves_nothing_of_it(replica, tmp_path):
    replica.stage(batch(1, 3))
    with closing(sqlite3.connect(f"file:{replica.path}?mode=ro", uri=True)):
        replica.close()
    again = Replica(tmp_path / "replica.sqlite", 0)
    assert (stored(again), again.place) == ([], PLACE)
    again.close()


def test_what_cannot_be_staged_is_told_when_it_is_applied(replica):
    replica.apply(batch(1, 2), behind(2))
    twice = batch(2, 2)
    replica.stage(twice)
    with pytest.raises(Exception, match="stands twice"):
        replica.apply(twice, behind(3))
    assert (stored(replica), replica.place) == ([1, 2], behind(2))


def test_the_write_ahead_log_moves_beside_the_writer(replica, monkeypatch):
    monkeypatch.setattr("commands.kafka.replica.checkpoints._EVERY_ROWS", 100)
    replica.apply(batch(1, 120), behind(120))
    replica._checkpoints.close()
    with closing(sqlite3.connect(f"file:{replica.path}?immutable=1", uri=True)) as file_alone:
        assert file_alone.execute("SELECT count(*) FROM stored_events").fetchone() == (120,)


def test_a_checkpoint_that_fails_is_left_to_the_writer(tmp_path, monkeypatch):
    monkeypatch.setattr("commands.kafka.replica.checkpoints._EVERY_ROWS", 1)
    checkpoints = Checkpoints(tmp_path / "no" / "such" / "file")
    checkpoints.written(1)
    checkpoints.close()
    checkpoints.close()
