"""A long history on Kafka: a worker projects it, a node starts with its replica, a replica is rebuilt."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from bench.api import create
from bench.book import OURS, Book
from bench.clusters import Installation, Servers, installed, metrics, total
from bench.connection import run
from bench.filling import fill
from bench.peers.raw_kafka import read_alone
from bench.plan import Plan
from bench.processes import carries_out
from bench.session import MeasureError, Say
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.event_log import KafkaEventLog
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.mapper import EventMapper
from commands.secrets import Secrets
from commands.sqlite.keys import SQLiteKeyStore

_START_SECONDS = 600.0
_CATCH_UP_SECONDS = 900.0
_LOOK_SECONDS = 0.05
READING_PEER = "aiokafka, reading alone"


def cluster_history(servers: Servers, folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Fill a log, let a worker catch up with a part of it, and start nodes on all of it."""
    with installed(servers, folder) as installation:
        session = installation.session(book, plan, say)
        fill(session, plan.rebuild_events)
        _catch_up(installation, book, say, plan.rebuild_events)
        fill(session, max(plan.sizes) - plan.rebuild_events)
        session.stop()
        _restart(installation, book, plan, say, max(plan.sizes))
        _rebuild(installation, book, plan, say)


def _catch_up(installation: Installation, book: Book, say: Say, events: int) -> None:
    """Measure a worker that starts with the whole history ahead of it; its start is not in the rate."""
    worker = installation.worker()
    try:
        first = last = (perf_counter(), _projected(worker.port))
        while last[1] < events and last[0] - first[0] < _CATCH_UP_SECONDS:
            time.sleep(_LOOK_SECONDS)
            last = (perf_counter(), _projected(worker.port))
            if not first[1]:
                first = last
        if last[1] < events:
            raise MeasureError(
                f"the worker projected {last[1]:,.0f} of {events:,} events: {worker.last_words()}"
            )
        rate, cpu = (last[1] - first[1]) / (last[0] - first[0]), worker.cpu_seconds()
    finally:
        worker.stop()
    about = f"catching up of a worker with {events:,} events, into MongoDB"
    book.add(
        "cluster-projection",
        OURS,
        rate,
        unit="events/s",
        better="higher",
        about=about,
        mongodb=book.servers["mongodb"],
        workerCpuMsPerEvent=round(1000 * cpu / events, 3),
    )
    say(f"{about}: {rate:,.0f} events/s ({book.servers['mongodb']})")


def _projected(port: int) -> float:
    return total(metrics(port) or {}, "codepark_projected_events_total")


def _restart(installation: Installation, book: Book, plan: Plan, say: Say, events: int) -> None:
    """Start a node with its replica, then without, until it carries out a command."""
    node = installation.codepark()
    ready = carries_out(create(node.token(), "the first command"))
    for kind, with_replica in (("with", True), ("without", False)):
        for _ in range(plan.repeats if with_replica else 1):
            if not with_replica:
                shutil.rmtree(node.data / "replica")
            server, seconds = node.serve(ready)
            server.stop()
            about = f"start of a node {kind} its replica of {events:,} events, until it carries out a command"
            book.add(
                f"cluster-start-{kind}-replica",
                OURS,
                seconds,
                unit="s",
                better="lower",
                about=about,
                events=events,
            )
            say(f"{about}: {seconds:.2f} s")


def _rebuild(installation: Installation, book: Book, plan: Plan, say: Say) -> None:
    """Read the whole log into a new replica in this process: without the start of a program."""
    for number in range(plan.repeats):
        folder = installation.folder / f"rebuild-{number}"
        folder.mkdir()
        with _log(installation, folder) as log:
            began = perf_counter()
            log.start(_START_SECONDS)
            seconds, events = perf_counter() - began, log.tip().sequence
        size = sum(file.stat().st_size for file in folder.iterdir())
        shutil.rmtree(folder)
        about = "rebuild of a replica from Kafka"
        book.add(
            "cluster-rebuild",
            OURS,
            events / seconds,
            unit="events/s",
            better="higher",
            about=about,
            events=events,
            replicaBytesPerEvent=round(size / events),
        )
        alone = run(read_alone(installation.settings))
        book.add("cluster-rebuild", READING_PEER, alone, unit="events/s", better="higher", about=about)
        say(
            f"{about}: {events:,} events, {events / seconds:,.0f} events/s; aiokafka alone reads {alone:,.0f}"
        )


@contextlib.contextmanager
def _log(installation: Installation, folder: Path) -> Iterator[KafkaEventLog]:
    secrets = Secrets.from_base64(installation.secret)
    keys, thread = SQLiteKeyStore(folder / "keys.sqlite", LocalKms(secrets.master_key)), LoopThread()
    log = KafkaEventLog(installation.settings, EventMapper(PersonalCipher(keys)), folder, thread)
    try:
        yield log
    finally:
        log.close()
        thread.close()
        keys.close()
