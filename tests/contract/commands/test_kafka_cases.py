"""The test cases that the library ships for recorders of other projects, run on ours with a real broker."""

import os
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from eventsourcing.persistence import InfrastructureFactory, OperationalError, StoredEvent
from eventsourcing.tests.application import ApplicationTestCase, ExampleApplicationTestCase
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)
from eventsourcing.utils import Environment

pytest.importorskip("aiokafka", reason="the extra `cluster` is not installed")

from commands.kafka import KafkaFactory
from commands.kafka.library.recorder import (
    KafkaAggregateRecorder,
    KafkaApplicationRecorder,
    KafkaProcessRecorder,
    KafkaTrackingRecorder,
)
from commands.kafka.settings import BOOTSTRAP, PREFIX

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings(
        "default::DeprecationWarning",  # one case checks that the library warns
        "ignore::ResourceWarning",  # the cases leave connections to the garbage collector
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ),
]
MODULE = "commands.kafka"


@pytest.fixture(autouse=True)
def broker(request, kafka):
    """Give the cases, which are unittest classes, the address of the broker."""
    request.cls.bootstrap = kafka


def environment(bootstrap: str, name: str = "") -> dict[str, str]:
    """Return the settings of a new topic."""
    return {"PERSISTENCE_MODULE": MODULE, BOOTSTRAP: bootstrap, PREFIX: f"t-{uuid4().hex}."}


class OwnTopic:
    """A topic for each recorder."""

    def setUp(self):
        super().setUp()
        self.factories = []

    def tearDown(self):
        for factory in self.factories:
            factory.close()
        super().tearDown()

    def factory(self):
        factory = InfrastructureFactory.construct(Environment("", environment(self.bootstrap)))
        self.factories.append(factory)
        return factory


class TestAggregateRecorder(OwnTopic, AggregateRecorderTestCase):
    def create_recorder(self):
        return self.factory().aggregate_recorder()


class TestApplicationRecorder(OwnTopic, ApplicationRecorderTestCase):
    def create_recorder(self):
        return self.factory().application_recorder()

    def test_insert_subscribe(self):
        self.optional_test_insert_subscribe()

    def test_inserts_of_many_threads_are_all_stored_once(self):
        recorder = self.create_recorder()

        def insert(number):
            return recorder.insert_events([StoredEvent(uuid4(), 1, "event", b"%d" % number)])

        with ThreadPoolExecutor(16) as pool:
            ids = [id_ for (id_,) in pool.map(insert, range(200))]
        assert sorted(ids) == list(range(1, 201))
        stored = {item.id: item.state for item in recorder.select_notifications(1, 300)}
        assert stored == {id_: b"%d" % number for number, id_ in enumerate(ids)}

    def test_a_closed_recorder_refuses_events(self):
        recorder = self.create_recorder()
        self.factories[-1].close()
        with pytest.raises(OperationalError, match="closed"):
            recorder.insert_events([StoredEvent(uuid4(), 1, "event", b"")])


class TestTrackingRecorder(OwnTopic, TrackingRecorderTestCase):
    def create_recorder(self):
        return self.factory().tracking_recorder()


class TestProcessRecorder(OwnTopic, ProcessRecorderTestCase):
    def create_recorder(self):
        return self.factory().process_recorder()


class TestNonInterleaving(OwnTopic, NonInterleavingNotificationIDsBaseCase):
    insert_num = 1000

    def create_recorder(self):
        return self.factory().application_recorder()


class TestFactory(InfrastructureFactoryTestCase):
    def setUp(self):
        self.env = Environment("TestCase", environment(self.bootstrap))
        super().setUp()

    def expected_factory_class(self):
        return KafkaFactory

    def expected_aggregate_recorder_class(self):
        return KafkaAggregateRecorder

    def expected_application_recorder_class(self):
        return KafkaApplicationRecorder

    def expected_tracking_recorder_class(self):
        return KafkaTrackingRecorder

    def tracking_recorder_subclass(self):
        class Subclass(KafkaTrackingRecorder):
            pass

        return Subclass

    def expected_process_recorder_class(self):
        return KafkaProcessRecorder

    def application_recorder_subclass(self):
        class Subclass(KafkaApplicationRecorder):
            pass

        return Subclass

    def process_recorder_subclass(self):
        class Subclass(KafkaProcessRecorder):
            pass

        return Subclass


class ApplicationTopic:
    def setUp(self):
        super().setUp()
        os.environ.update(environment(self.bootstrap))

    def tearDown(self):
        for name in ("PERSISTENCE_MODULE", BOOTSTRAP, PREFIX):
            os.environ.pop(name, None)
        super().tearDown()


class TestExampleApplication(ApplicationTopic, ExampleApplicationTestCase):
    expected_factory_topic = "commands.kafka.library.factory:KafkaFactory"


class TestApplication(ApplicationTopic, ApplicationTestCase):
    expected_factory_topic = "commands.kafka.library.factory:KafkaFactory"


del (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    ApplicationTestCase,
    ExampleApplicationTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)
