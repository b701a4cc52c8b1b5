"""The cases that the library ships for recorders of others, run on ours."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore, SQLiteTrackingRecorder
from eventsourcing.tests.application import ApplicationTestCase, ExampleApplicationTestCase
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
)
from eventsourcing.utils import Environment

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

    The cases leave threads that still read when a test ends, and closing a connection under a reading thread ends the
    interpreter: connections are left to the garbage collector, files to the folder of the whole run.
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
