"""The test cases that the library ships for recorders of other projects, run on ours."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from uuid import uuid4

import pytest
from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore, SQLiteTrackingRecorder
from eventsourcing.tests.application import ApplicationTestCase, ExampleApplicationTestCase
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
)
from eventsourcing.utils import Environment

from commands.application_records import application_records
from commands.chain import chain_after, first_chain, source_of
from commands.sqlite.factory import ChainedFactory
from commands.sqlite.recorder import ChainedProcessRecorder, ChainedRecorder
from tests.support.time_scale import stretched

pytestmark = pytest.mark.filterwarnings(
    "default::DeprecationWarning",  # one case checks that the library warns
    "ignore::ResourceWarning",  # the cases leave connections to the garbage collector
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
MODULE = "commands.sqlite.factory"
FOLDER = TemporaryDirectory()


class OwnFile:
    """A database file for each test.

    The cases leave threads that still read when a test ends, and closing a connection under a reading thread
    ends the interpreter: connections are left to the garbage collector, files to the folder of the whole run.
    """

    def setUp(self):
        super().setUp()
        path = Path(mkdtemp(dir=FOLDER.name)) / "log.sqlite"
        self.datastore = SQLiteDatastore(str(path), lock_timeout=stretched(30), pool_timeout=stretched(30))


class TestApplicationRecorder(OwnFile, ApplicationRecorderTestCase):
    def create_recorder(self):
        recorder = ChainedRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestProcessRecorder(OwnFile, ProcessRecorderTestCase):
    def create_recorder(self):
        recorder = ChainedProcessRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestNonInterleaving(OwnFile, NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000

    def create_recorder(self):
        recorder = ChainedRecorder(self.datastore)
        recorder.create_table()
        return recorder


class TestFactory(InfrastructureFactoryTestCase):
    def setUp(self):
        self.env = Environment("TestCase", {"PERSISTENCE_MODULE": MODULE, "SQLITE_DBNAME": ":memory:"})
        super().setUp()

    def expected_factory_class(self):
        return ChainedFactory

    def expected_aggregate_recorder_class(self):
        return SQLiteAggregateRecorder

    def expected_application_recorder_class(self):
        return ChainedRecorder

    def expected_tracking_recorder_class(self):
        return SQLiteTrackingRecorder

    def tracking_recorder_subclass(self):
        class Subclass(SQLiteTrackingRecorder):
            pass

        return Subclass

    def expected_process_recorder_class(self):
        return ChainedProcessRecorder

    def application_recorder_subclass(self):
        class Subclass(ChainedRecorder):
            pass

        return Subclass

    def process_recorder_subclass(self):
        class Subclass(ChainedProcessRecorder):
            pass

        return Subclass


def test_the_events_of_an_application_are_chained(tmp_path):
    settings = {"PERSISTENCE_MODULE": MODULE, "SQLITE_DBNAME": str(tmp_path / "log.sqlite")}
    factory = InfrastructureFactory.construct(Environment("", settings))
    recorder = factory.application_recorder()
    ids = [uuid4(), uuid4()]
    calls = [
        [StoredEvent(ids[0], 1, "a", b"1"), StoredEvent(ids[1], 1, "b", b"2")],
        [StoredEvent(ids[0], 2, "a", b"3")],
    ]
    for events in calls:
        recorder.insert_events(events)
    factory.close()
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as file:
        (log_id,) = file.execute("SELECT log_id FROM stored_events_log").fetchone()
        rows = file.execute("SELECT rowid, command, occurred_at, chain FROM stored_events").fetchall()
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[0][1] == rows[1][1] != rows[2][1]
    previous = first_chain(log_id, 0, 1)
    for events in calls:
        sequence, command, occurred_at, _ = rows[0]
        streams = [event.originator_id.hex for event in events]
        for record in application_records(
            events,
            streams,
            command,
            source_of(log_id),
            after=sequence - 1,
            first_at=sequence - 1,
            occurred_at=occurred_at,
        ):
            previous = chain_after(previous, record)
            assert rows.pop(0)[3] == previous


class ApplicationFile:
    def setUp(self):
        self.folder = TemporaryDirectory()
        super().setUp()
        os.environ["PERSISTENCE_MODULE"] = MODULE
        os.environ["SQLITE_DBNAME"] = str(Path(self.folder.name) / "log.sqlite")

    def tearDown(self):
        for name in ("PERSISTENCE_MODULE", "SQLITE_DBNAME"):
            os.environ.pop(name, None)
        super().tearDown()
        self.folder.cleanup()


class TestExampleApplication(ApplicationFile, ExampleApplicationTestCase):
    expected_factory_topic = f"{MODULE}:ChainedFactory"


class TestApplication(ApplicationFile, ApplicationTestCase):
    expected_factory_topic = f"{MODULE}:ChainedFactory"


del (
    ApplicationRecorderTestCase,
    ApplicationTestCase,
    ExampleApplicationTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
)
