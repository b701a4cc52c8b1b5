"""A log of an earlier release has no column of operators: it is read as it is, and altered at opening."""

import sqlite3

from msgspec.structs import replace

from commands.chain import chain_after, first_chain
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.log import CommandEvents
from commands.mapper import EventMapper
from commands.record_headers import headers
from commands.sqlite.keys import SQLiteKeyStore
from commands.sqlite.log import SQLiteEventLog
from commands.sqlite.reader import ReadOnlyLog
from commands.stream_event import StreamEvent
from domain.project.events import ProjectDeleted
from tests.support.profile import SECRETS


def command(number: int, operated_by: str | None = None) -> CommandEvents:
    return CommandEvents(
        command=f"c{number}",
        home="h",
        fingerprint=f"f{number}",
        actor="ada",
        correlation="c",
        causation=None,
        traceparent=None,
        occurred_at=1_000,
        events=(StreamEvent("project-1", number, ProjectDeleted(project_id="1")),),
        operated_by=operated_by,
    )


def mapper(path) -> EventMapper:
    return EventMapper(PersonalCipher(SQLiteKeyStore(path / "keys", LocalKms(SECRETS.master_key))))


def as_an_earlier_release_left_it(path):
    """Write a log, and take the column away."""
    log = SQLiteEventLog(path / "log", mapper(path))
    log.append(log.tip(), [command(1)])
    log.close()
    with sqlite3.connect(path / "log") as file:
        file.execute("ALTER TABLE stored_events DROP COLUMN operated_by")
    file.close()


def test_a_reader_reads_it_as_it_is(tmp_path):
    as_an_earlier_release_left_it(tmp_path)
    log = ReadOnlyLog(tmp_path / "log", mapper(tmp_path))
    (record,) = log.read(0, 10)
    assert (record.actor, record.operated_by) == ("ada", None)
    assert log.command_records("c1") == [record]
    log.close()


def test_opening_adds_the_column_and_the_chain_holds(tmp_path):
    as_an_earlier_release_left_it(tmp_path)
    log = SQLiteEventLog(tmp_path / "log", mapper(tmp_path))
    log.append(log.tip(), [command(2, "service:cli")])
    records = log.read(0, 10)
    assert [record.operated_by for record in records] == [None, "service:cli"]
    previous = first_chain(log.log_id, 0, 1)
    for record in records:
        assert record.chain == chain_after(previous, record)
        previous = record.chain
    log.close()


def test_the_chain_covers_who_acted(tmp_path):
    log = SQLiteEventLog(tmp_path / "log", mapper(tmp_path))
    (record,) = log.append(log.tip(), [command(1, "service:cli")])
    first = first_chain(log.log_id, 0, 1)
    assert chain_after(first, record) == record.chain
    for other in ("eve", "", None):
        assert chain_after(first, replace(record, operated_by=other)) != record.chain
    assert dict(headers(record))["operated-by"] == b"service:cli"
    assert "operated-by" not in dict(headers(replace(record, operated_by=None)))
    names = [name for name, _ in headers(record)]
    assert names == sorted(names)
    log.close()
