"""What every event log must do, on SQLite and on Kafka with its replica."""

import threading

import pytest

from commands.chain import chain_after, first_chain
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.settings import KafkaSettings
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.log import (
    CommandEvents,
    LogCorruptError,
    LogUnavailableError,
    Selection,
    Snapshot,
    Tip,
    TipMovedError,
)
from commands.mapper import EventMapper
from commands.sqlite.keys import SQLiteKeyStore
from commands.stream_event import StreamEvent
from domain.project.events import ProjectDeleted
from tests.support.profile import SECRETS, Commands


@pytest.fixture(params=["sqlite", "kafka"])
def log(request, tmp_path):
    if request.param == "sqlite":
        yield request.getfixturevalue("commands").log
        return
    settings = KafkaSettings(
        bootstrap_servers=request.getfixturevalue("kafka"), prefix=request.getfixturevalue("topic_prefix")
    )
    keys, thread = SQLiteKeyStore(tmp_path / "keys.sqlite", LocalKms(SECRETS.master_key)), LoopThread()
    log = KafkaEventLog(settings, EventMapper(PersonalCipher(keys)), tmp_path, thread)
    try:
        log.start()
        yield log
    finally:
        log.close()
        thread.close()
        keys.close()


def command(number: int, streams=("project-1",), versions=None, home="home-1", at=1_000):
    versions = versions or [number] * len(streams)
    events = tuple(
        StreamEvent(stream, version, ProjectDeleted(project_id=f"{number}"))
        for stream, version in zip(streams, versions, strict=True)
    )
    return CommandEvents(
        command=f"command-{number}",
        home=home,
        fingerprint=f"f{number}",
        actor="ada",
        correlation="c",
        causation=None,
        traceparent=None,
        occurred_at=at,
        events=events,
    )


def test_sequences_are_gapless_and_versions_kept(log):
    first = log.append(log.tip(), [command(1), command(2, ("a-1", "b-1"), (1, 1))])
    second = log.append(log.tip(), [command(3, ("project-1",), (2,))])
    assert [record.sequence for record in first + second] == [1, 2, 3, 4]
    assert [record.commit_index for record in first] == [1, 1, 2]
    assert log.tip().sequence == 4


def test_a_log_returns_what_was_appended(log):
    appended = log.append(log.tip(), [command(1, ("a-1", "b-1"), (1, 1)), command(2)])
    assert log.read(0, 10) == appended
    assert log.read(1, 1) == appended[1:2]
    assert log.read(3, 10) == []


def test_the_chain_begins_at_the_log_and_covers_each_record(log):
    records = log.append(log.tip(), [command(number, versions=[number]) for number in range(1, 6)])
    previous = first_chain(log.log_id, 0, 1)
    for record in records:
        assert record.chain == chain_after(previous, record)
        previous = record.chain


def test_an_append_after_an_old_tip_changes_nothing(log):
    """G2, G4: a writer that decided on an old state is refused."""
    old = log.tip()
    log.append(old, [command(1)])
    with pytest.raises(TipMovedError):
        log.append(old, [command(2, versions=[2])])
    assert log.tip().sequence == 1
    log.append(log.tip(), [command(2, versions=[2])])


def test_a_batch_is_whole_or_not_at_all(log):
    log.append(log.tip(), [command(1)])
    with pytest.raises(Exception, match=r"UNIQUE|cannot be used"):
        log.append(log.tip(), [command(2, ("project-9",), (1,)), command(3, ("project-1",), (1,))])
    assert log.tip().sequence == 1
    assert log.stream_events("project-9") == []
    assert len(log.append(log.tip(), [command(4, ("project-9",), (1,))])) == 1


def test_streams_and_their_last_events(log):
    log.append(log.tip(), [command(1), command(2, versions=[2]), command(3, ("other-1",), (1,))])
    assert [item.version for item in log.stream_events("project-1")] == [1, 2]
    assert [item.version for item in log.stream_events("project-1", 1)] == [2]
    assert log.last_event("project-1").version == 2
    assert log.last_event("nobody-1") is None
    assert log.existing(["project-1", "nobody-1", "other-1"]) == {"project-1", "other-1"}
    assert log.existing(["nobody-1"]) == set()


def test_selections(log):
    log.append(log.tip(), [command(1), command(2, ("x-1",), (1,), home="home-2", at=2_000)])
    assert [r.sequence for r in log.read(0, 9, Selection(home="home-2"))] == [2]
    assert [r.sequence for r in log.read(0, 9, Selection(stream="project-1"))] == [1]
    assert [r.sequence for r in log.read(0, 9, Selection(topics=("project.deleted",)))] == [1, 2]
    assert log.read(0, 9, Selection(topics=("project.created",))) == []
    assert [r.sequence for r in log.read(0, 9, Selection(until=1_500))] == [1]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(homes=("h1", "h3")), [1, 3, 4]),
        (Selection(homes=("h2",), actors=("ada",)), [2, 5]),
        (Selection(streams=("s-1", "s-2", "none-1")), [1, 2]),
        (Selection(streams=("s-1", "s-4"), homes=("h1", "h2")), [1, 4]),
        (Selection(actors=("nobody",)), []),
        (Selection(homes=("h1", "h2"), topics=("project.deleted",), newest_first=True), [5, 4, 2, 1]),
        (Selection(newest_first=True), [5, 4, 3, 2, 1]),
    ],
)
def test_selections_of_several_names_in_both_orders(log, selection, expected):
    homes = ["h1", "h2", "h3", "h1", "h2"]
    log.append(
        log.tip(),
        [command(n, (f"s-{n}",), (1,), home=home, at=n * 1_000) for n, home in enumerate(homes, 1)],
    )
    start = 6 if selection.newest_first else 0
    assert [record.sequence for record in log.read(start, 9, selection)] == expected
    collected, at = [], start
    while records := log.read(at, 2, selection):
        collected += [record.sequence for record in records]
        at = collected[-1]
    assert collected == expected


def test_commands_are_found_by_their_id(log):
    appended = log.append(
        log.tip(), [command(1), command(2, ("a-1", "b-1", "c-1"), (1, 1, 1)), command(3, ("d-1",), (1,))]
    )
    assert log.command_records("command-2") == appended[1:4]
    assert log.command_records("command-1") == appended[:1]
    assert log.command_records("command-9") == []


def test_the_sequence_at_a_time(log):
    log.append(log.tip(), [command(n, versions=[n], at=1_000 * n) for n in range(1, 8)])
    assert [log.sequence_at(t) for t in (0, 999, 1_000, 1_001, 3_500, 7_000, 99_999)] == [0, 0, 1, 1, 3, 7, 7]


def test_the_version_of_a_stream_at_a_sequence(log):
    log.append(
        log.tip(), [command(n, ("a-1", f"b-{n}"), (n, 1)) for n in range(1, 8)]
    )  # the versions of a-1 lie at 1, 3, 5 …
    expected = [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
    assert [log.version_at("a-1", sequence) for sequence in range(15)] == expected
    assert [log.version_at("b-3", sequence) for sequence in (5, 6, 14)] == [0, 1, 1]
    assert log.version_at("nobody-1", 14) == 0


def test_the_records_of_a_stream_by_version(log):
    appended = log.append(log.tip(), [command(n, ("a-1", f"b-{n}"), (n, 1)) for n in range(1, 8)])
    of_stream = appended[::2]
    assert log.stream_records("a-1", 0, 3) == of_stream[:3]
    assert log.stream_records("a-1", 4, 9) == of_stream[4:]
    assert log.stream_records("nobody-1", 0, 9) == []


def test_the_tip_that_the_log_had_at_a_sequence(log):
    appended = log.append(log.tip(), [command(n, versions=[n], at=1_000 * n) for n in range(1, 4)])
    tips = [Tip(record.sequence, record.chain, record.occurred_at) for record in appended]
    assert [log.tip_at(record.sequence) for record in appended] == tips
    assert tips[-1] == log.tip()
    with pytest.raises(LogUnavailableError):
        log.tip_at(4)


def test_the_last_snapshot_of_a_stream_is_returned(log):
    snapshots = [
        Snapshot(stream="project-1", version=v, topic="project.state.v1", state=b"%d" % v) for v in (3, 7)
    ]
    log.append(log.tip(), [command(1)], snapshots)
    assert log.snapshot("project-1") == snapshots[1]
    assert log.snapshot("other-1") is None
    log.append(log.tip(), [command(2, versions=[2])], snapshots)  # storing them again does no harm
    assert log.tip().sequence == 2


def test_listeners_are_called_after_each_append(log):
    sequences = []
    log.on_append(lambda records: sequences.append([record.sequence for record in records]))
    log.append(log.tip(), [command(1), command(2, versions=[2])])
    log.append(log.tip(), [command(3, versions=[3])])
    assert sequences == [[1, 2], [3]]


def test_a_listener_with_topics_is_called_where_an_append_has_one_of_them(log):
    called = []
    for topics in ({"log.fenced"}, {"log.fenced", ProjectDeleted.TOPIC}, set()):
        log.on_append(lambda records, topics=topics: called.append((topics, len(records))), frozenset(topics))
    log.append(log.tip(), [command(1), command(2, versions=[2])])
    assert called == [({"log.fenced", ProjectDeleted.TOPIC}, 2)]


def test_readers_see_an_append_as_soon_as_the_tip_does(log):
    """G7: no reader may pass a record that is not visible yet."""
    finished = threading.Event()
    missed = []

    def read():
        while not finished.is_set():
            tip = log.tip().sequence
            if len(log.read(0, 1_000)) < tip:
                missed.append(tip)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 101):
        log.append(log.tip(), [command(number, versions=[number])])
    finished.set()
    reader.join()
    assert missed == []


def test_a_log_is_the_same_when_it_is_opened_again(tmp_path):
    before = Commands(tmp_path)
    records = before.log.append(before.log.tip(), [command(1), command(2, versions=[2])])
    tip, log_id = before.log.tip(), before.log.log_id
    before.close()
    after = Commands(tmp_path)
    try:
        assert (after.log.tip(), after.log.log_id, after.log.read(0, 9)) == (tip, log_id, records)
        assert isinstance(tip, Tip)
    finally:
        after.close()


def test_an_altered_last_record_stops_the_start(tmp_path):
    import sqlite3

    before = Commands(tmp_path)
    before.log.append(before.log.tip(), [command(1), command(2, versions=[2])])
    before.close()
    with sqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE stored_events SET actor = 'eve' WHERE rowid = 2")
    connection.close()
    with pytest.raises(LogCorruptError, match="does not fit its chain"):
        Commands(tmp_path)
