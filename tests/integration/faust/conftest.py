"""A node that appends to Kafka, workers in processes of their own, and read models to compare with."""

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
from streams.runner import Runner
from tests.support.profile import SECRETS, Commands
from tests.support.time_scale import stretched

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0


def eventually(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the first true answer."""
    deadline = time.monotonic() + stretched(seconds)
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
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


class Part:
    """One cluster: a node, and workers that are started and killed."""

    def __init__(self, path: Path, settings: KafkaSettings, mongodb: tuple[str, str], redis_url: str) -> None:
        self.path, self.settings, self.redis_url = path, settings, redis_url
        self.mongodb = mongodb
        self.node = KafkaCommands(path, settings)
        self.redis = redis.Redis.from_url(
            redis_url, socket_timeout=stretched(60)
        )  # longer than any of its waits
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
        """Project every partition, one after the other: their documents are not the same."""
        for log in self.node.logs:
            records = log.read(0, 1_000_000)
            if records:
                batch, upto = decode(log, records), records[-1].sequence
                store.apply([project(model, batch, Checkpoint(), upto, log.number) for model in models])

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
    """Appends in a thread until it is told to end."""

    def __init__(self, part: Part) -> None:
        self._part = part
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
def part(
    tmp_path: Path, settings: KafkaSettings, mongodb_uri: str, mongodb_name: str, redis_url: str
) -> Iterator[Part]:
    made = Part(tmp_path, settings, (mongodb_uri, mongodb_name), redis_url)
    yield made
    made.close()


def assert_equal(found: DocumentStore, expected: DocumentStore, models: Any = READ_MODELS) -> None:
    """Compare document by document."""
    for model in models:
        for collection in model.collections:
            assert list(found.dump(collection.name)) == list(expected.dump(collection.name)), collection.name
