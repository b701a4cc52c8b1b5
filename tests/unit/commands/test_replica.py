"""The replica: what is staged is invisible until it is applied, and checkpoints do not block the writer."""

import sqlite3
from contextlib import closing, contextmanager

import pytest
from msgspec.structs import replace

from commands.kafka.protocol.chain_rule import CountedMessage, LogCheckpoint
from commands.kafka.replica.replica import Replica
from commands.kafka.replica.wal_checkpointer import WalCheckpointer
from commands.log import LogCorruptError, Snapshot, Tip
from tests.unit.commands.test_chain import a_record

OPENED = LogCheckpoint(log_id="l", partitions=1, next_offset=1, counted_at=0, tip=Tip(0, b"0" * 32, 0))


@pytest.fixture
def replica(tmp_path):
    replica = Replica(tmp_path / "replica.sqlite", 0)
    replica.apply([], OPENED)
    yield replica
    replica.close()


def batch(first, last, stream="project-1"):
    return [
        CountedMessage(
            a_record(sequence=number, version=number, stream=stream, command=f"c{number}", chain=b"1" * 32)
        )
        for number in range(first, last + 1)
    ]


def after(number):
    tip = Tip(number, bytes([number]) * 32, 0)
    return replace(OPENED, next_offset=number + 1, counted_at=number, tip=tip)


def stored(replica):
    with closing(sqlite3.connect(replica.path)) as reader:
        return [row[0] for row in reader.execute("SELECT rowid FROM stored_events ORDER BY rowid")]


def test_what_is_staged_is_visible_once_it_is_applied(replica):
    staged = batch(1, 3)
    replica.stage(staged)
    assert (stored(replica), replica.checkpoint) == ([], OPENED)
    replica.apply(staged, after(3))
    assert (stored(replica), replica.checkpoint) == ([1, 2, 3], after(3))


def test_what_is_staged_and_does_not_count_leaves_nothing(replica):
    replica.stage(batch(1, 3))
    replica.unstage()
    assert stored(replica) == []
    assert replica.highest_versions(["project-1"]) == {}
    replica.save_snapshots([Snapshot(stream="project-1", version=1, topic="t", state=b"")])


def test_another_batch_replaces_what_is_staged(replica):
    replica.stage(batch(1, 3))
    replica.apply(batch(1, 1, stream="project-2"), after(1))
    assert replica.highest_versions(["project-1", "project-2"]) == {"project-2": 1}


def test_a_process_that_dies_leaves_nothing_of_what_was_staged(replica, tmp_path):
    replica.stage(batch(1, 3))
    with closing(sqlite3.connect(f"file:{replica.path}?mode=ro", uri=True)):
        replica.close()
    again = Replica(tmp_path / "replica.sqlite", 0)
    assert (stored(again), again.checkpoint) == ([], OPENED)
    again.close()


def test_what_cannot_be_staged_raises_when_it_is_applied(replica):
    replica.apply(batch(1, 2), after(2))
    twice = batch(2, 2)
    replica.stage(twice)
    with pytest.raises(LogCorruptError, match="occurs twice"):
        replica.apply(twice, after(3))
    assert (stored(replica), replica.checkpoint) == ([1, 2], after(2))


def test_a_reset_drops_everything_but_the_forks(tmp_path):
    steps = []

    @contextmanager
    def while_reset():
        steps.append(stored(replica))
        yield
        steps.append(stored(replica))

    replica = Replica(tmp_path / "replica.sqlite", 0, while_reset=while_reset)
    replica.apply(batch(1, 3), after(3))
    replica.reset([7, 5])
    assert steps == [[1, 2, 3], []]
    replica.close()
    again = Replica(tmp_path / "replica.sqlite", 0)
    assert (again.checkpoint, again.forks) == (LogCheckpoint(), {5, 7})
    again.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE place SET format = 0", "DELETE FROM stored_events WHERE rowid = 3"]
)
def test_a_replica_that_cannot_be_used_is_dropped_when_it_is_opened(tmp_path, statement):
    before = Replica(tmp_path / "replica.sqlite", 0)
    before.apply(batch(1, 3), after(3))
    before.close()
    with closing(sqlite3.connect(before.path, isolation_level=None)) as file:
        file.execute(statement)
    replica = Replica(before.path, 0)
    assert (stored(replica), replica.checkpoint) == ([], LogCheckpoint())
    replica.close()


def test_a_checkpoint_is_made_after_enough_rows(replica, monkeypatch):
    monkeypatch.setattr("commands.kafka.replica.wal_checkpointer._EVERY_ROWS", 100)
    replica.apply(batch(1, 120), after(120))
    replica._wal_checkpointer.close()
    with closing(sqlite3.connect(f"file:{replica.path}?immutable=1", uri=True)) as file_alone:
        assert file_alone.execute("SELECT count(*) FROM stored_events").fetchone() == (120,)


def test_a_checkpoint_that_fails_raises_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("commands.kafka.replica.wal_checkpointer._EVERY_ROWS", 1)
    checkpointer = WalCheckpointer(tmp_path / "no" / "such" / "file")
    checkpointer.committed(1)
    checkpointer.close()
    checkpointer.close()


def test_a_replica_of_an_earlier_release_gets_the_column_of_operators_and_stays(replica):
    replica.apply(batch(1, 3), after(3))
    replica.close()
    with closing(sqlite3.connect(replica.path)) as file:
        file.execute("ALTER TABLE stored_events DROP COLUMN operated_by")
    reopened = Replica(replica.path, 0)
    try:
        assert (stored(reopened), reopened.checkpoint) == ([1, 2, 3], after(3))
        reopened.apply([CountedMessage(a_record(sequence=4, version=4, operated_by="bob"))], after(4))
        with closing(sqlite3.connect(replica.path)) as file:
            rows = file.execute("SELECT operated_by FROM stored_events ORDER BY rowid").fetchall()
        assert rows == [(None,), (None,), (None,), ("bob",)]
    finally:
        reopened.close()
