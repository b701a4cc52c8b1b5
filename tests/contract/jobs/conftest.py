"""The queues that every test of this suite runs against: the embedded profile's server, and the cluster's."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from codepark.valkey import Valkey
from jobs.bullmq.queue import BullQueue
from jobs.bullmq.worker import BullWorker
from jobs.job import JobState, NewJob, QueueName
from jobs.kind import Kind, kinds_by_name
from tests.support.time_scale import stretched

LOOK_SECONDS = 0.01


@dataclass
class Bench:
    """A queue with a prefix of its own, and workers that run *kinds*."""

    url: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    prefix: str = field(default_factory=lambda: f"test-{uuid4().hex[:12]}.jobs")

    def __post_init__(self) -> None:
        self.queue = BullQueue(self.url, self.prefix, self.kinds)

    def kind(self, name, work, **limits) -> str:
        self.kinds.update(kinds_by_name([Kind(name=name, work=work, **limits)]))
        return name

    def worker(self) -> BullWorker:
        worker = BullWorker(self.url, self.prefix, self.kinds)
        worker.start()
        return worker

    async def add(self, kind, id_=None, **more) -> str:
        id_ = id_ or f"{kind}-{uuid4().hex}"
        await self.queue.add([NewJob(kind=kind, id=id_, **more)])
        return id_

    async def ends(self, job_id, state=JobState.COMPLETED, seconds=20.0):
        """Wait until a job has *state*, and return it."""
        deadline = time.monotonic() + stretched(seconds)
        while (job := await self.queue.get(job_id)).state is not state:
            assert time.monotonic() < deadline, job
            await asyncio.sleep(LOOK_SECONDS)
        return job


@contextmanager
def own_valkey(request) -> Iterator[str]:
    server = Valkey(request.getfixturevalue("tmp_path") / "queue")
    try:
        yield f"unix://{server.socket}"
    finally:
        server.close()


@contextmanager
def cluster_redis(request) -> Iterator[str]:
    yield request.getfixturevalue("redis_url")


SERVERS = {"embedded": own_valkey, "cluster": cluster_redis}


@pytest.fixture(params=sorted(SERVERS))
def with_queue(request):
    """Run a coroutine function with an empty queue."""

    def run(test):
        async def main(url):
            bench = Bench(url)
            try:
                await answering(bench.queue)
                return await test(bench)
            finally:
                await bench.queue.close()

        with SERVERS[request.param](request) as url:
            return asyncio.run(main(url))

    return run


async def answering(queue):
    """Wait until the server of the queue answers."""
    deadline = time.monotonic() + stretched(10)
    while True:
        try:
            return await queue.checkpoint("any")
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(LOOK_SECONDS)


async def nothing(job):
    """Do nothing."""


BACKGROUND, CRITICAL = QueueName.BACKGROUND, QueueName.CRITICAL
