"""A node that appends to Kafka, workers in processes of their own, and read models to compare them with."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from commands.intake import Intake
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.bus import KafkaCommandBus
from commands.kafka.node.event_log import KafkaEventLog
from commands.kafka.settings import KafkaSettings
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.mapper import EventMapper
from commands.partitioned_bus import partitioned
from commands.partitions import Logs
from commands.sqlite.keys import SQLiteKeyStore
from devservers.processes import spawn
from projections.models import READ_MODELS
from projections.progress import Progress
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Checkpoint, DocumentStore
from streams.batch_projection import decode, project
from streams.faust.rebuild import rebuild_from_kafka
from streams.runner import Runner
from tests.support.documents import dump
from tests.support.profile import SECRETS, Commands
from tests.support.time_scale import stretched

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0


def eventually(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the first true answer of *holds*."""
    deadline = time.monotonic() + stretched(seconds)
    while time.monotonic() < deadline:
        answer = holds()
        if answer:
            return answer
        time.sleep(0.02)
    pytest.fail(f"not in {stretched(seconds):.0f} s: {what}")


class KafkaCommands(Commands):
    """A node over Kafka, without HTTP."""

    def __init__(self, path: Path, settings: KafkaSettings, *, keys: Path | None = None) -> None:
        self.keys = SQLiteKeyStore((keys or path) / "keys.sqlite", LocalKms(SECRETS.master_key))
        self.mapper = EventMapper(PersonalCipher(self.keys))
        self.thread = LoopThread()
        self.settings = settings
        numbers = range(settings.partitions)
        self.logs = Logs([KafkaEventLog(settings, self.mapper, path, self.thread, n) for n in numbers])
        for log in self.logs:
            log.start()
        self.log = self.logs.accounts
        self.intake = Intake(SECRETS, self.log)
        buses = [KafkaCommandBus(log, log_of=self.logs.of) for log in self.logs]
        self.bus = partitioned(buses, self.logs.number_of)

    def close(self) -> None:
        self.bus.close()
        for log in self.logs:
            log.close()
        self.thread.close()
        self.keys.close()


class WorkerCluster:
    """A node, and workers that tests start and kill."""

    def __init__(self, path: Path, settings: KafkaSettings, mongodb: tuple[str, str], redis_url: str) -> None:
        self.path, self.settings, self.redis_url = path, settings, redis_url
        self.mongodb = mongodb
        self.node = KafkaCommands(path, settings)
        self.redis = redis.Redis.from_url(redis_url, socket_timeout=stretched(60))  # longer than any wait
        self.workers: list[subprocess.Popen[bytes]] = []
        self.empty = path / "empty"
        self.empty.mkdir()
        self.stores: list[Any] = []

    def store(self, models: Any = READ_MODELS) -> DocumentStore:
        from tests.integration.faust.worker import open_store

        store = open_store(*self.mongodb)
        store.prepare(models)
        self.stores.append(store)
        return store

    def worker(self, kind: str = "projections", **options: Any) -> subprocess.Popen[bytes]:
        facts = {
            "kind": kind,
            "servers": self.settings.bootstrap_servers,
            "prefix": self.settings.prefix,
            "partitions": self.settings.partitions,
            "keys": str(self.path / "keys.sqlite"),
            "mongodb": self.mongodb,
            "redis": self.redis_url,
            **options,
        }
        process = spawn(
            [sys.executable, "-m", "tests.integration.faust.worker", json.dumps(facts)],
            output=self.path / f"worker-{len(self.workers)}.log",
            attached=True,
            environment={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)},
            folder=self.empty,
        )
        self.workers.append(process)
        return process

    def output(self) -> str:
        return "\n".join(file.read_text() for file in sorted(self.path.glob("worker-*.log")))

    def caught_up(self, store: DocumentStore, models: Any = READ_MODELS) -> None:
        """Wait until all models include the log's end."""
        for number, tip in self.node.logs.tip().sequences.items():
            eventually(
                lambda n=number, tip=tip: min(store.checkpoints(n)[m.name].sequence for m in models) >= tip,
                f"checkpoints of partition {number} at {tip}",
            )

    def assert_agrees(self, store: DocumentStore, models: Any = READ_MODELS) -> None:
        """Wait until *store* includes the log's end, and compare it with a projection in this process."""
        self.caught_up(store, models)
        expected = self.expected(models)
        for model in models:
            for collection in model.collections:
                name = collection.name
                assert list(dump(store, name)) == list(dump(expected, name)), name

    def expected(self, models: Any = READ_MODELS) -> DocumentStore:
        """Project the same log in this process."""
        store = SQLiteDocumentStore(None)
        store.prepare(models)
        if len(self.node.logs) == 1:
            runner = Runner(self.node.log, store, models, Progress())
            runner._load()
            while runner._step():
                pass
        else:
            self._project(store, models)
        self.stores.append(store)
        return store

    def _project(self, store: DocumentStore, models: Any) -> None:
        """Project the partitions one after the other; no two of them write the same document."""
        for log in self.node.logs:
            records = log.read(0, 1_000_000)
            if records:
                batch, last = decode(log, records), records[-1].sequence
                store.apply([project(model, batch, Checkpoint(), last, log.number) for model in models])

    def close(self) -> None:
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            try:
                worker.wait(stretched(20))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.node.close()
        self.redis.close()
        for store in self.stores:
            store.close()


class Load:
    """A thread that appends until `end`."""

    def __init__(self, cluster: WorkerCluster) -> None:
        self._part = cluster
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.failure: Exception | None = None

    def _run(self) -> None:
        node = self._part.node
        try:
            while not self._ended.wait(0.02):
                project = node.project("load")
                node.outcomes(
                    *[
                        node.submission("project.update", target=project, name=f"n{number}")
                        for number in range(20)
                    ]
                )
        except Exception as error:  # noqa: BLE001 # the test shows it
            self.failure = error

    def end(self) -> None:
        self._ended.set()
        self._thread.join(stretched(30))
        assert self.failure is None


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka, prefix=topic_prefix)


@pytest.fixture
def cluster(
    tmp_path: Path, settings: KafkaSettings, mongodb_uri: str, mongodb_name: str, redis_url: str
) -> Iterator[WorkerCluster]:
    started = WorkerCluster(tmp_path, settings, (mongodb_uri, mongodb_name), redis_url)
    yield started
    started.close()


def write_history(cluster: WorkerCluster, projects: int = 50) -> list[str]:
    """Append projects with files, and return their ids."""
    node = cluster.node
    ids = [node.project(f"project {number}") for number in range(projects)]
    for project_id in ids[::5]:
        node.do("project.update", target=project_id, name="renamed")
        node.do("file.write", target=project_id, path="a.py", content="def f():\n    return 1\n")
    return ids


def rebuild_under_load(cluster: WorkerCluster, *, events: int) -> None:
    """Rebuild two models in turns, at least *events* of them, while a node appends and a worker follows."""
    store = cluster.store()
    cluster.worker()
    write_history(cluster, 30)
    cluster.caught_up(store)
    rebuilding = cluster.store()
    reported: list[tuple[int, int]] = []
    load = Load(cluster)
    for number in range(4):
        included = rebuild_from_kafka(
            cluster.settings,
            rebuilding,
            cluster.node.mapper,
            READ_MODELS[number % 2],
            progress=lambda offsets, ends: reported.append((offsets, ends)),
        )
        assert included >= events
        assert reported[-1][0] >= reported[-1][1]
    load.end()
    cluster.assert_agrees(rebuilding)
