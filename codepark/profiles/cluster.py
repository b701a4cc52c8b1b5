"""A node of the cluster profile: the log on Kafka with its replica, MongoDB's read models, Redis between processes."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import redis
import structlog

from codepark import cache_and_channel
from codepark.data_directory import DataDirectory
from codepark.past_queries import past_of
from codepark.replica_answers import ReplicaAnswers
from codepark.settings import Settings, SettingsError
from commands.intake.intake import Intake
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.bus import KafkaCommandBus
from commands.kafka.node.event_log import KafkaEventLog
from commands.keys import PersonalCipher
from commands.log import LogCorruptError, LogUnavailableError
from commands.mapper import EventMapper
from commands.mongodb.keys import MongoKeyStore
from commands.nodes.bus import NodeBus
from commands.nodes.heartbeat import Heartbeat
from commands.nodes.listener import NodeListener
from commands.partitioned_bus import partitioned
from commands.partitions import Logs
from domain.file.events import FileDeleted, FileWritten
from domain.identifiers import ACCOUNTS_HOME
from domain.record import Record
from insights.analyser import ProcessAnalyser
from projections.insights_model import INSIGHTS, insights_model
from projections.model import ReadModel
from projections.models import READ_MODELS
from projections.mongodb.connection import connect, database_name, database_of
from projections.mongodb.store import MongoDocumentStore
from projections.progress import Progress
from projections.queries.shared_answers import SharedAnswers, includes
from projections.redis.cache import RedisCache
from projections.redis.progress import ProgressPublisher, ProjectedListener
from projections.store import StoreUnavailableError
from read_api.query_services import queries_over

KEYS = "personal_keys"
_LOOK_SECONDS = 0.05
_RETRY_SECONDS = 0.5
_RETRY_ANSWER_SECONDS = 70.0
_FILE_TOPICS = frozenset({FileWritten.TOPIC, FileDeleted.TOPIC})

logger = structlog.get_logger(__name__)


class Cluster:
    """The parts of one API process. It starts while Kafka, MongoDB or Redis are away, and is ready when they are there."""

    remote = True

    def __init__(self, settings: Settings) -> None:
        """Open the replica; nothing waits for a server. Raises DataDirectoryError."""
        if (
            settings.kafka is None
            or settings.mongodb_uri is None
            or settings.redis is None
            or settings.secret is None
        ):
            raise SettingsError("the cluster profile needs Kafka, MongoDB, Redis and the secret key")
        self.directory = DataDirectory(settings.data).hold()
        self.secrets = settings.secret
        self.settings = settings
        try:
            self._open(settings, settings.mongodb_uri)
        except BaseException:
            self.directory.release()
            raise

    def _open(self, settings: Settings, mongodb_uri: str) -> None:
        assert settings.kafka is not None  # noqa: S101 # the caller checked it
        assert settings.redis is not None  # noqa: S101 # as above
        ca_file = None if settings.mongodb_ca_file is None else Path(settings.mongodb_ca_file)
        self._mongo = connect(mongodb_uri, tls_ca_file=ca_file)
        name = database_name(mongodb_uri, settings.prefix)
        database = database_of(self._mongo, name)
        self.kms = settings.kms(self.secrets)
        self.keys = MongoKeyStore(database[KEYS], self.kms)
        self.mapper = EventMapper(PersonalCipher(self.keys))
        self.thread = LoopThread()
        folder, thread = settings.data / "replica", self.thread
        self.logs = Logs(
            [
                KafkaEventLog(settings.kafka, self.mapper, folder, thread, number)
                for number in range(settings.kafka.partitions)
            ]
        )
        self.store = MongoDocumentStore(self._mongo, name)
        self.analyser = ProcessAnalyser()
        self.models: tuple[ReadModel, ...] = (*READ_MODELS, insights_model(self.analyser))
        self.intake = Intake(self.secrets, self.logs.accounts)
        self.progress = Progress()
        cache = RedisCache(
            cache_and_channel.connect(settings.redis.cache, settings.redis_ca_file),
            f"{settings.prefix}answers.",
        )
        self.answers = SharedAnswers(cache, self._least)
        self.queries = queries_over(self.store, self.answers)
        self._redis = cache_and_channel.connect(settings.redis.pubsub, settings.redis_ca_file)
        self.heartbeat = Heartbeat(self._redis, f"{settings.prefix}nodes", settings.node_address)
        self._open_buses(settings.node_address)
        self.past = partial(past_of, self.logs, self.store, self.models)
        self.replica_answers = ReplicaAnswers(self.logs, self.store, self.models)
        self.changed_resource = self.replica_answers.ask
        self._listener = ProjectedListener(
            self._redis, settings.prefix, self.store, self.progress, self._touched, partitions=len(self.logs)
        )
        self._ended = threading.Event()
        self._prepared = threading.Event()
        self._start: dict[int, int] | None = None

    def _open_buses(self, address: str | None) -> None:
        """Make a bus for each partition, that of this node and the one that prefers other nodes."""
        secret = self.secrets.node_secret()
        # With one partition no home is elsewhere.
        log_of = self.logs.of if len(self.logs) > 1 else None
        local = [KafkaCommandBus(log, log_of=log_of) for log in self.logs]
        self._node_buses = [
            NodeBus(bus, self.heartbeat, address, secret, partition=number)
            for number, bus in enumerate(local)
        ]
        self.bus = partitioned(self._node_buses, self.logs.number_of)
        self.node_listener = NodeListener(partitioned(local, self.logs.number_of), secret)

    @property
    def main_models(self) -> tuple[str, ...]:
        """Return the names of the models that every query waits for."""
        return tuple(model.name for model in READ_MODELS)

    def start(self) -> None:
        """Follow the log and the read models, and try until their servers answer."""
        for log in self.logs:
            log.on_append(partial(self._note_files, log.number))
            log.follow()
        threading.Thread(target=self._prepare, name="prepare", daemon=True).start()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until the log has been read and MongoDB is prepared.

        Raises LogUnavailableError where that takes too long, LogCorruptError at once where it cannot be.
        """
        deadline = time.monotonic() + seconds
        while (reason := self._unavailable()) is not None or not self._prepared.is_set():
            for log in self.logs:
                if log.partition.corrupt is not None:
                    raise LogCorruptError(log.partition.corrupt)
            if time.monotonic() > deadline:
                raise LogUnavailableError(reason or "MongoDB does not answer")
            self._ended.wait(_LOOK_SECONDS)

    def _unavailable(self) -> str | None:
        """Return why a partition of the log takes nothing now."""
        return next((log.unavailable for log in self.logs if log.unavailable is not None), None)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiters in *loop*."""
        self.replica_answers.bind(loop)

    async def end_in_loop(self) -> None:
        """Close the connections to other nodes."""
        for bus in self._node_buses:
            await bus.aclose()

    def behind(self) -> list[str]:
        """Name the parts that are away, and the models that have not reached the log's end found at the start."""
        if self._unavailable() is not None:
            return ["log"]
        if not self._prepared.is_set():
            return ["read models"]
        if self._start is None:
            self._start = self.logs.tip().sequences
            for number, sequence in self._start.items():
                self.progress.assume_touched(INSIGHTS, sequence, number)
        start, reached = self._start, self.progress.sequence
        return [
            model.name
            for model in self.models
            if any(reached(model.name, number) < sequence for number, sequence in start.items())
        ]

    def catch_up(self, advanced: Callable[[int, int], None], seconds: float = 120.0) -> None:
        """Wait until the workers have projected the log's present end, for up to *seconds*."""
        target, deadline, pause = self.logs.tip().sequences, time.monotonic() + seconds, threading.Event()
        while not includes(least := self._least(), target) and time.monotonic() < deadline:
            advanced(sum(least.values()), sum(target.values()))
            pause.wait(_LOOK_SECONDS)
        advanced(sum(least.values()), sum(target.values()))

    def rebuild(self, model: ReadModel, progress: Callable[[int, int], None] | None) -> int:
        """Rebuild *model* from the first event on Kafka while the workers go on, and switch to it."""
        from streams.faust.rebuild import rebuild_from_kafka  # noqa: PLC0415 # Faust is large, and rarely needed here

        assert self.settings.kafka is not None  # noqa: S101 # checked when it was opened
        publisher = ProgressPublisher(self._redis, self.settings.prefix)
        return rebuild_from_kafka(
            self.settings.kafka, self.store, self.mapper, model, publisher=publisher, progress=progress
        )

    def retry_dead_letters(self) -> dict[str, int]:
        """Ask the workers, who own the checkpoints, to retry every dead letter; raises LogUnavailableError."""
        from streams.faust.requests import RetryRequests, WorkerAwayError  # noqa: PLC0415 # as above

        groups = dict.fromkeys(self.main_models, "projections") | {INSIGHTS: "insights"}
        letters = self.store.dead_letters()
        due = {(groups[item.model], item.partition) for item in letters if item.model in groups}
        done = {"solved": 0, "left": 0}
        for group, partition in sorted(due):
            try:
                with self._patient_redis() as client:
                    result = RetryRequests(client, self.settings.prefix, group, partition).ask()
            except (WorkerAwayError, redis.RedisError) as error:
                raise LogUnavailableError(f"the worker {group} does not answer: {error}") from error
            if result.error is not None:
                raise LogUnavailableError(f"the worker {group} could not retry: {result.error}")
            done = {"solved": done["solved"] + result.solved, "left": done["left"] + result.left}
        return done

    def _patient_redis(self) -> "redis.Redis":
        """Return a client whose answers may take as long as a blocking command does."""
        assert self.settings.redis is not None  # noqa: S101 # checked when it was opened
        return cache_and_channel.connect(
            self.settings.redis.pubsub, self.settings.redis_ca_file, seconds=_RETRY_ANSWER_SECONDS
        )

    def scrub(self) -> None:
        """Do nothing: the files are MongoDB's."""

    def forget_answers(self) -> None:
        """Forget every composed answer, here and in Redis."""
        self.queries.projects.touch(None)
        self.answers.erase()

    def rotate_master_key(self) -> dict[str, int]:
        """Wrap the keys of people anew with the newest line of the file of master keys."""
        return {"version": self.kms.version, "wrapped": self.keys.rewrap()}

    def close(self) -> None:
        """Answer what waits, stop, and let everything go."""
        self._ended.set()
        self.bus.close()
        self.heartbeat.close()
        self._listener.close()
        self.analyser.close()
        for log in self.logs:
            log.close()
        self.thread.close()
        self.store.close()
        self.keys.close()
        self._mongo.close()
        self._redis.close()
        self.directory.release()

    def _prepare(self) -> None:
        """Make the collections as soon as MongoDB answers, then follow what the workers do."""
        waited = False
        while not self._ended.is_set():
            try:
                self.store.prepare(self.models)
            except StoreUnavailableError as error:
                if not waited:
                    logger.warning("read models away", reason=str(error))
                waited = True
                self._ended.wait(_RETRY_SECONDS)
            else:
                self._listener.start()
                self._prepared.set()
                return

    def _least(self) -> dict[int, int]:
        """Return what every model includes, by partition."""
        names = [model.name for model in self.models]
        return {
            log.number: min(self.progress.sequence(name, log.number) for name in names) for log in self.logs
        }

    def _note_files(self, partition: int, records: Sequence[Record]) -> None:
        """Tell whose insights have work to do."""
        touched = [(record.home, record.sequence) for record in records if record.topic in _FILE_TOPICS]
        if touched:
            self.progress.touch(INSIGHTS, touched, partition)

    def _touched(self, homes: set[str] | None, upto: int, partition: int) -> None:
        """Forget composed answers; a change of accounts may change names anywhere."""
        named = None if homes is None or ACCOUNTS_HOME in homes else homes
        self.queries.projects.touch(named, {partition: upto})
