"""The factory that an `eventsourcing` application gets with `PERSISTENCE_MODULE=commands.kafka`."""

from pathlib import Path
from typing import Literal, cast

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
)
from eventsourcing.utils import Environment, resolve_topic

from commands.environment import SettingsError
from commands.kafka.library.recorder import (
    KafkaAggregateRecorder,
    KafkaApplicationRecorder,
    KafkaProcessRecorder,
    KafkaTrackingRecorder,
)
from commands.kafka.library.store import LogStore
from commands.kafka.settings import BOOTSTRAP, read_kafka_settings

REPLICA_FOLDER = "CODEPARK_REPLICA_DIR"
ORIGINATOR_ID_TYPE = "ORIGINATOR_ID_TYPE"
SNAPSHOTS = "snapshots"


class KafkaFactory(InfrastructureFactory[KafkaTrackingRecorder]):
    """Makes recorders over one topic: `<prefix>events`, or `<prefix><name>.events` for a named one."""

    def __init__(self, env: Environment | None) -> None:
        """Read the settings; raise OSError, as the library's own factories do, where one cannot be used."""
        super().__init__(env)
        try:
            settings = read_kafka_settings(self.env)
        except SettingsError as error:
            raise OSError(str(error)) from error
        if settings is None:
            raise OSError(f"{BOOTSTRAP} is not set: set it to the address of Kafka, host:port")
        self._settings = settings
        self._store: LogStore | None = None

    @property
    def store(self) -> LogStore:
        """Return the log that the recorders share; it is opened when it is first needed."""
        if self._store is None:
            name = self.env.name.lower()
            topic = f"{self._settings.prefix}{name}.events" if name else self._settings.topic
            folder = self.env.get(REPLICA_FOLDER)
            id_type = (self.env.get(ORIGINATOR_ID_TYPE) or "uuid").lower()
            if id_type not in ("uuid", "text"):
                raise OSError(f"{ORIGINATOR_ID_TYPE} is {id_type!r}; it takes uuid or text")
            self._store = LogStore(
                self._settings,
                topic,
                Path(folder) if folder else None,
                cast("Literal['uuid', 'text']", id_type),
            )
        return self._store

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Return a recorder of events, or of snapshots, which are a cache next to the replica."""
        if purpose == SNAPSHOTS:
            return self.store.snapshots()
        return KafkaAggregateRecorder(self.store)

    def application_recorder(self) -> ApplicationRecorder:
        """Return an application recorder."""
        topic = self.env.get(self.APPLICATION_RECORDER_TOPIC)
        chosen: type[KafkaApplicationRecorder] = resolve_topic(topic) if topic else KafkaApplicationRecorder
        return chosen(self.store)

    def tracking_recorder(
        self, tracking_recorder_class: type[KafkaTrackingRecorder] | None = None
    ) -> KafkaTrackingRecorder:
        """Return a tracking recorder."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else KafkaTrackingRecorder)
        return chosen(self.store)

    def process_recorder(self) -> ProcessRecorder:
        """Return a process recorder."""
        topic = self.env.get(self.PROCESS_RECORDER_TOPIC)
        chosen: type[KafkaProcessRecorder] = resolve_topic(topic) if topic else KafkaProcessRecorder
        return chosen(self.store)

    def close(self) -> None:
        """Close the log."""
        if self._store is not None:
            self._store.close()
