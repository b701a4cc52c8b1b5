"""Appends in process: the persistence module on Kafka, aiokafka alone, and the library on PostgreSQL."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

from bench.book import OURS, Book
from bench.clusters import Servers
from bench.connection import run
from bench.peers.raw_kafka import RawKafka
from bench.plan import Plan
from bench.postgres import PostgresMissingError, postgres
from bench.session import MeasureError, Say
from bench.statistics import summarise

STATE = b"x" * 300
BATCHES = (1, 10, 100, 500)
THREADS = 64
BATCH_PEER = "aiokafka, one batch, idempotent"
TRANSACTION_PEER = "aiokafka, one transaction"
LIBRARY_PEER = "library, PostgreSQL"
_MOST_SECONDS = 4.0
_WARM_CALLS = 5
Latencies = Callable[[int, float], list[float]]


def cluster_appends(servers: Servers, folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Append 300-byte events in batches of several sizes, contestants in turn, then from many threads."""
    with contextlib.ExitStack() as stack:
        recorders = {OURS: stack.enter_context(_kafka_recorder(servers, folder))}
        try:
            recorders[LIBRARY_PEER] = stack.enter_context(_postgres_recorder())
        except PostgresMissingError as error:
            book.leave_out(f"cluster-append, {LIBRARY_PEER}", str(error))
        recording = _Recording(book, say)
        seconds = min(_MOST_SECONDS, plan.seconds)
        for _ in range(plan.repeats):
            for size in BATCHES:
                for name, latencies in _contestants(servers, recorders).items():
                    recording.batch(name, size, partial(latencies, size, seconds))
            for name, recorder in recorders.items():
                recording.threads(name, partial(_from_threads, recorder, seconds))
            recording.threads(BATCH_PEER, lambda: run(_raw_from_many(servers, seconds)))
        recording.say_shares()


class _Recording:
    """Records the rates and latencies of each contestant in the book."""

    def __init__(self, book: Book, say: Say) -> None:
        self._book = book
        self._say = say

    def batch(self, contestant: str, size: int, work: Callable[[], list[float]]) -> None:
        about = f"append {size} event{'s' if size > 1 else ''} of {len(STATE)} bytes a call"
        self._record(f"cluster-append-{size}", contestant, about, work, size=size)

    def threads(self, contestant: str, work: Callable[[], list[float]]) -> None:
        about = f"append 1 event of {len(STATE)} bytes a call, {THREADS} at once"
        self._record(f"cluster-append-1-by-{THREADS}", contestant, about, work, at_once=THREADS)

    def _record(
        self,
        name: str,
        contestant: str,
        about: str,
        work: Callable[[], list[float]],
        *,
        size: int = 1,
        at_once: int = 1,
    ) -> None:
        latencies = work()
        rate = size * len(latencies) * at_once / sum(latencies)
        summary = summarise(latencies)
        self._book.add(f"{name}-rate", contestant, rate, unit="events/s", better="higher", about=about)
        for share, value in (("p50", summary.p50), ("p99", summary.p99)):
            self._book.add(
                f"{name}-{share}", contestant, value, unit="ms", better="lower", about=f"{about}, {share}"
            )
        self._say(
            f"{contestant}: {about}: {rate:,.0f} events/s, p50 {summary.p50:.2f} ms, p99 {summary.p99:.2f} ms"
        )

    def say_shares(self) -> None:
        """Say what share of the client's own rate the recorder reaches."""
        for size in BATCHES:
            entry = self._book.entries[f"cluster-append-{size}-rate"]
            share = entry.value(OURS) / entry.value(BATCH_PEER)
            self._say(f"batch {size}: {share:.0%} of the rate of aiokafka alone")


def _contestants(servers: Servers, recorders: dict[str, ApplicationRecorder]) -> dict[str, Latencies]:
    contestants: dict[str, Latencies] = {
        name: partial(_latencies, recorder) for name, recorder in recorders.items()
    }
    contestants[BATCH_PEER] = lambda size, seconds: run(_raw(servers, size, seconds, transactions=False))
    contestants[TRANSACTION_PEER] = lambda size, seconds: run(_raw(servers, size, seconds, transactions=True))
    return contestants


@contextlib.contextmanager
def _kafka_recorder(servers: Servers, folder: Path) -> Iterator[ApplicationRecorder]:
    settings = servers.settings(f"bench-{uuid4().hex[:8]}.")
    env = {
        "PERSISTENCE_MODULE": "commands.kafka",
        "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "CODEPARK_TOPIC_PREFIX": settings.prefix,
        "CODEPARK_REPLICA_DIR": str(folder),
        "ORIGINATOR_ID_TYPE": "text",
    }
    with _recorder(env) as recorder:
        yield recorder


@contextlib.contextmanager
def _postgres_recorder() -> Iterator[ApplicationRecorder]:
    with (
        postgres() as database,
        _recorder(
            database.env | {"ORIGINATOR_ID_TYPE": "text", "POSTGRES_POOL_SIZE": str(THREADS)}
        ) as recorder,
    ):
        yield recorder


@contextlib.contextmanager
def _recorder(env: dict[str, str]) -> Iterator[ApplicationRecorder]:
    """Give the recorder of an application with this environment."""
    factory = InfrastructureFactory.construct(Environment(env=env))
    try:
        yield factory.application_recorder()
    finally:
        factory.close()


def _latencies(recorder: ApplicationRecorder, size: int, seconds: float) -> list[float]:
    """Insert *size* events a call, into a new stream each; return the seconds of each call."""
    for _ in range(_WARM_CALLS):
        recorder.insert_events(_events(size))
    latencies, end = list[float](), perf_counter() + seconds
    while (began := perf_counter()) < end:
        recorder.insert_events(_events(size))
        latencies.append(perf_counter() - began)
    return latencies


def _from_threads(recorder: ApplicationRecorder, seconds: float) -> list[float]:
    all_started = threading.Barrier(THREADS)

    def work() -> list[float]:
        all_started.wait()
        return _latencies(recorder, 1, seconds)

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(work) for _ in range(THREADS)]
        latencies = [latency for future in futures for latency in future.result()]
    if not latencies:
        raise MeasureError("no insert finished in time")
    return latencies


def _events(size: int) -> list[StoredEvent]:
    stream = uuid4().hex
    return [StoredEvent(stream, version, "event", STATE) for version in range(1, size + 1)]


async def _raw(servers: Servers, size: int, seconds: float, *, transactions: bool) -> list[float]:
    async with RawKafka(servers.settings("bench-"), STATE, transactions=transactions) as peer:
        await peer.latencies(size, 0.2)
        return await peer.latencies(size, seconds)


async def _raw_from_many(servers: Servers, seconds: float) -> list[float]:
    async with RawKafka(servers.settings("bench-"), STATE) as peer:
        return await peer.latencies_of_many(THREADS, seconds)
