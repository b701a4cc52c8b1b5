"""A node of the cluster profile: the log on Kafka with its replica, read models in MongoDB, and Redis."""

import asyncio
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial

import structlog

from codepark.cluster_servers import NEEDED, ClusterServers, away
from codepark.data_directory import DataDirectory
from codepark.node_tls import client_context
from codepark.profiles.admission import admit
from codepark.profiles.cluster_connections import ClusterConnections
from codepark.profiles.cluster_maintenance import ClusterMaintenance
from codepark.profiles.profile import NodeFigures, Profile
from codepark.redis_clients import connect
from codepark.replica_answers import ReplicaAnswers
from codepark.settings import ClusterSettings, Settings
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.bus import KafkaCommandBus
from commands.kafka.node.event_log import KafkaEventLog
from commands.log import LogCorruptError, LogUnavailableError
from commands.nodes.bus import NodeBus
from commands.nodes.heartbeat import Heartbeat
from commands.nodes.listener import NodeListener
from commands.nodes.proof import NodeProofs
from commands.partitioned_bus import partitioned
from commands.partitions import Logs
from projections.insights_model import INSIGHTS
from projections.queries.shared_answers import SharedAnswers
from projections.redis.cache import RedisCache
from projections.redis.progress import ProgressListener
from projections.store import StoreUnavailableError

_LOOK_SECONDS = 0.05
_RETRY_SECONDS = 0.5
_START_SECONDS = 60.0

logger = structlog.get_logger(__name__)


class ClusterProfile(Profile):
    """A node. It starts while Kafka, MongoDB or Redis are unavailable, and is ready once they answer."""

    def __init__(self, settings: Settings) -> None:
        """Open the replica; nothing waits for a server. Raises SettingsError and DataDirectoryError."""
        cluster = settings.cluster()
        with ExitStack() as opened:
            directory = DataDirectory(settings.data).hold()
            opened.callback(directory.release)
            directory.make_files(directory.past)
            connections = ClusterConnections(cluster, settings.kms(cluster.secret))
            opened.callback(connections.close)
            servers = ClusterServers(cluster)
            opened.callback(servers.close)
            self.watch = servers.watch()
            opened.callback(self.watch.close)
            self._logs = _open_logs(cluster, connections, directory, opened)
            self._answers = SharedAnswers(_cache(cluster, opened), self.included)
            super().__init__(
                settings,
                directory,
                secrets=cluster.secret,
                keys=connections.keys,
                logs=self._logs,
                store=connections.store,
                shared_answers=self._answers,
            )
            opened.callback(self.past.close)
            opened.callback(self.analyser.close)
            self.maintenance = ClusterMaintenance(cluster, connections)
            self._admission = partial(admit, cluster, connections)
            self.replica_answers = ReplicaAnswers(self._logs, self.store, self.models, self.insights_pending)
            self.changed_resource = self.replica_answers.ask
            self._follow_read_models(connections, opened)
            self._open_buses(connections, opened)
            self._opened = opened.pop_all()
        self._start_sequences: dict[int, int] | None = None
        self._refusal: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _follow_read_models(self, connections: ClusterConnections, opened: ExitStack) -> None:
        self._follower = ProgressListener(
            connections.redis,
            self.settings.prefix,
            self.store,
            self.progress,
            self._forget_changed,
            partitions=len(self.logs),
        )
        opened.callback(self._follower.close)
        self._ended = threading.Event()
        self._prepared = threading.Event()

    def _open_buses(self, connections: ClusterConnections, opened: ExitStack) -> None:
        """Open two buses for each partition: that of this node, and the one that prefers other nodes."""
        proofs, address = NodeProofs(self.secrets.node_secret()), self.settings.node_address
        self._heartbeat = Heartbeat(connections.redis, f"{self.settings.prefix}nodes.2", address, proofs)
        opened.callback(self._heartbeat.close)
        # With one partition no home is elsewhere.
        log_of = self._logs.of if len(self._logs) > 1 else None
        local = [KafkaCommandBus(log, log_of=log_of) for log in self._logs]
        tls = client_context(self.settings.node_tls)
        self._node_buses = [
            NodeBus(bus, self._heartbeat, address, proofs, partition=number, tls=tls)
            for number, bus in enumerate(local)
        ]
        self.bus = partitioned(self._node_buses, self._logs.number_of)
        opened.callback(self.bus.close)
        self.listener = NodeListener(partitioned(local, self._logs.number_of), proofs, address)
        opened.callback(self._ended.set)

    def start(self) -> None:
        """Join the installation, follow the log and the read models; try until their servers answer."""
        self.watch.start()
        for log in self._logs:
            self.progress.assume_touched(INSIGHTS, log.tip().sequence, log.number)  # until MongoDB answers
            log.on_append(partial(self._note_files, partition=log.number))
        threading.Thread(target=self._join, name="join", daemon=True).start()
        threading.Thread(target=self._prepare, name="prepare", daemon=True).start()

    def _join(self) -> None:
        """Follow the log once this process is admitted to the installation; else let the process end."""
        thread = self._logs[0].thread
        try:
            if self._admission(
                self._ended.wait, run=lambda work: thread.run(work, _START_SECONDS), make=self.makes_log
            ):
                for log in self._logs:
                    log.follow()
        except Exception as error:  # noqa: BLE001 # whatever it is, this process must not serve
            self._refusal = error
            if self._ended.is_set():  # the profile is being closed
                return
            if self._loop is not None and self.refused is not None:
                self._loop.call_soon_threadsafe(_fail, self.refused, error)

    def start_for_commands(self) -> None:
        """Start, and wait until the log has been read and MongoDB is prepared.

        Raises LogUnavailableError where that takes too long; at once LogCorruptError where the log cannot be
        read, and InstallationError where this process does not belong to the installation.
        """
        self.start()
        deadline = time.monotonic() + _START_SECONDS
        while (reason := self._unavailable()) is not None or not self._prepared.is_set():
            if self._refusal is not None:
                raise self._refusal
            for log in self._logs:
                if log.partition.corrupt is not None:
                    raise LogCorruptError(log.partition.corrupt)
            if time.monotonic() > deadline:
                raise LogUnavailableError(reason or "MongoDB does not answer")
            self._ended.wait(_LOOK_SECONDS)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the waiters of *loop*, the one that serves requests."""
        super().bind(loop)
        self.replica_answers.bind(loop)
        self._loop, self.refused = loop, loop.create_future()

    async def disconnect(self) -> None:
        """Close the connections to other nodes."""
        for bus in self._node_buses:
            await bus.aclose()

    def not_ready(self) -> list[str]:
        """Name the servers that do not answer, or what does not include the log's end at the first look."""
        if gone := [f"{name} does not answer" for name in away(self.watch) if name in NEEDED]:
            return gone
        if self._unavailable() is not None:
            return ["log"]
        if not self._prepared.is_set():
            return ["read models"]
        if self._start_sequences is None:
            self._start_sequences = self.logs.tip().sequences
        return self._models_before(self._start_sequences)

    def does_without(self) -> list[str]:
        """Name the servers that do not answer and without which this node serves everything."""
        return [name for name in away(self.watch) if name not in NEEDED]

    def node_figures(self) -> NodeFigures:
        """Return what this node knows of its servers and of the other nodes."""
        return NodeFigures(
            servers=self.watch.answering(),
            void_records=sum(log.partition.void for log in self._logs),
            forwarded=sum(bus.forwarded for bus in self._node_buses),
            unanswered=sum(bus.unanswered for bus in self._node_buses),
            refused_requests=self.listener.refused,
            refused_answers=sum(bus.unproven for bus in self._node_buses),
            refused_heartbeats=self._heartbeat.refused,
        )

    def forget_answers(self) -> None:
        """Forget every composed answer, here and in Redis."""
        super().forget_answers()
        self._answers.erase()

    def _unavailable(self) -> str | None:
        """Return why a partition of the log takes no command now."""
        return next((log.unavailable for log in self._logs if log.unavailable is not None), None)

    def _prepare(self) -> None:
        """Make the collections as soon as MongoDB answers, then follow what the workers project."""
        waited = False
        while not self._ended.is_set():
            try:
                self.store.prepare(self.models)
            except StoreUnavailableError as error:
                if not waited and not self._ended.is_set():
                    logger.warning("read models unavailable", reason=str(error))
                waited = True
                self._ended.wait(_RETRY_SECONDS)
            else:
                self._follower.start()
                self._prepared.set()
                with suppress(StoreUnavailableError, LogUnavailableError):
                    self._note_unmeasured()
                return


def _fail(refused: "asyncio.Future[None]", error: Exception) -> None:
    if not refused.done():
        refused.set_exception(error)


def _open_logs(
    cluster: ClusterSettings, connections: ClusterConnections, directory: DataDirectory, opened: ExitStack
) -> Logs[KafkaEventLog]:
    """Open the replica of each partition; one thread talks to Kafka for all of them."""
    thread = LoopThread()
    opened.callback(thread.close)
    logs = []
    for number in range(cluster.kafka.partitions):
        log = KafkaEventLog(cluster.kafka, connections.mapper, directory.path / "replica", thread, number)
        opened.callback(log.close)
        logs.append(log)
    return Logs(logs)


def _cache(cluster: ClusterSettings, opened: ExitStack) -> RedisCache:
    client = connect(cluster.redis.cache, cluster.redis_ca_file)
    opened.callback(client.close)
    return RedisCache(client, f"{cluster.kafka.prefix}answers.")
