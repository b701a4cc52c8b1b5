"""Background jobs without work: how many a second, and how late they begin. The peer is BullMQ for Node."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from redis.exceptions import RedisError

from bench.book import OURS, Book
from bench.plan import Plan
from bench.session import MeasureError
from bench.statistics import percentile
from codepark.valkey import Valkey
from jobs.bullmq.queue import BullQueue
from jobs.bullmq.worker import BullWorker
from jobs.job import NewJob
from jobs.kind import Kind, RunningJob

PEER = "BullMQ for Node"
_FOLDER = Path(__file__).parents[1] / "peers" / "bullmq"
_JOBS, _QUICK_JOBS, _DELAYED = 10_000, 2_000, 200
_CONCURRENCY = 32
_START_SECONDS, _RUN_SECONDS, _INSTALL_SECONDS = 10.0, 300.0, 180.0
_PREFIX = "bench.jobs"
_AHEAD_MS, _APART_MS = 500, 10

Figures = tuple[float, float, list[float]]
"""Jobs that were added and done a second, and by how many milliseconds each delayed one was late."""

Say = Callable[[str], None]


def jobs(folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Add jobs, do them, and let delayed ones begin; the contestants in turn, each with its own server."""
    count = _QUICK_JOBS if plan.quick else _JOBS
    contestants: dict[str, Callable[[str, int], Figures]] = {OURS: _ours}
    if shutil.which("node") is None:
        book.leave_out(PEER, "there is no Node on this machine")
    else:
        _install()
        contestants[PEER] = _theirs
    for repeat in range(plan.repeats):
        for name, measure in contestants.items():
            server = Valkey(folder / f"queue-{repeat}-{name[:4]}")
            try:
                _answering(server)
                added, worked, late = measure(str(server.socket), count)
            finally:
                server.close()
            book.add(
                "jobs-added", name, added, unit="jobs/s", better="higher", about="jobs added, 200 at a time"
            )
            book.add(
                "jobs-done", name, worked, unit="jobs/s", better="higher", about="jobs without work done"
            )
            p99 = percentile(sorted(late), 0.99)
            book.add("jobs-late-p99", name, p99, unit="ms", better="lower", about="from due to started, p99")
            say(f"{name}: {added:,.0f} jobs/s added, {worked:,.0f} done, p99 {p99:.1f} ms late")


def _ours(socket: str, count: int) -> Figures:
    return asyncio.run(_measure(f"unix://{socket}", count))


async def _measure(url: str, count: int) -> Figures:
    late: list[float] = []
    left, all_done, rest_done = count, asyncio.Event(), asyncio.Event()

    async def nothing(_: RunningJob) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            all_done.set()

    async def delayed(job: RunningJob) -> None:
        late.append(time.time() * 1000 - int(job.data["due"]))
        if len(late) == _DELAYED:
            rest_done.set()

    kinds = {
        "nothing": Kind(name="nothing", work=nothing, concurrency=_CONCURRENCY),
        "delayed": Kind(name="delayed", work=delayed, concurrency=_CONCURRENCY),
    }
    queue, worker = BullQueue(url, _PREFIX, kinds), BullWorker(url, _PREFIX, kinds)
    began = time.perf_counter()
    await queue.add([NewJob(kind="nothing", id=f"nothing-{number}") for number in range(count)])
    added = time.perf_counter() - began
    began = time.perf_counter()
    worker.start()
    await asyncio.wait_for(all_done.wait(), _RUN_SECONDS)
    worked = time.perf_counter() - began
    first = round(time.time() * 1000) + _AHEAD_MS
    for number in range(_DELAYED):
        due = first + _APART_MS * number
        await queue.add([NewJob(kind="delayed", id=f"delayed-{number}", data={"due": due}, due=due)])
    await asyncio.wait_for(rest_done.wait(), _RUN_SECONDS)
    await worker.stop()
    await queue.close()
    return count / added, count / worked, late


def _theirs(socket: str, count: int) -> Figures:
    command = [
        "node",
        str(_FOLDER / "jobs.mjs"),
        socket,
        _PREFIX,
        str(count),
        str(_DELAYED),
        str(_CONCURRENCY),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_SECONDS, check=False)
    if ended.returncode != 0:
        raise MeasureError(f"{PEER} failed: {ended.stderr[-500:]}")
    figures = json.loads(ended.stdout.splitlines()[-1])
    return figures["added"], figures["worked"], figures["late"]


def _install() -> None:
    if (_FOLDER / "node_modules" / "bullmq").exists():
        return
    command = ["npm", "ci", "--ignore-scripts"]
    ended = subprocess.run(
        command, cwd=_FOLDER, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if ended.returncode != 0:
        raise MeasureError(f"npm could not install {PEER}: {ended.stderr[-500:]}")


def _answering(server: Valkey) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with server.client() as client:
                client.ping()
        except RedisError:
            if time.monotonic() > deadline:
                raise
        else:
            return
