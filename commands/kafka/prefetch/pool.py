"""Read a long part of a partition through several processes, for one interpreter works on one core only."""

import asyncio
import contextlib
import os
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import structlog
from msgspec import msgpack
from msgspec.structs import replace

from commands.kafka.prefetch.message import PrefetchedBatch
from commands.kafka.prefetch.worker import PrefetchTask
from commands.kafka.settings import KafkaSettings
from processes.frames import receive_frame

_LEAST_MESSAGES = 50_000
"""With fewer messages, starting the processes takes longer than they save."""
_MOST_PROCESSES = 2
"""Linking and storing a record takes half as long as prefetching it: a third process would have to wait."""
_SPAN = 20_000
_BATCH_SECONDS = 15.0
_BUFFER_BYTES = 4 * 1024 * 1024
_PROGRAM = "from commands.kafka.prefetch.worker import main; main()"

logger = structlog.get_logger(__name__)


class CoreBudget:
    """How many processes may run at once, for all partitions together; none where there is one core."""

    def __init__(self, count: int) -> None:
        """Share *count* cores."""
        self._free = count if count > 1 else 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def reserve(self, most: int) -> Iterator[int]:
        """Reserve up to *most* cores, as many as are free, and yield how many."""
        with self._lock:
            count = min(most, self._free)
            self._free -= count
        try:
            yield count
        finally:
            with self._lock:
                self._free += count


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_cores = CoreBudget(_usable_cores())


class PrefetchPool:
    """Prefetches the messages of one partition, in processes that live as long as that takes."""

    def __init__(self, settings: KafkaSettings, topic: str, partition: int) -> None:
        """Read *partition* of *topic*."""
        self._settings = settings
        self._topic = topic
        self._partition = partition

    async def batches(self, start: int, end: int) -> AsyncGenerator[PrefetchedBatch]:
        """Yield messages in order from *start*, up to *end* or as far as it gets; none where *end* is near.

        It raises nothing: the follower reads on from there, and meets the reason itself.
        """
        if end - start < _LEAST_MESSAGES:
            return
        with _cores.reserve(_MOST_PROCESSES) as count:
            if not count:
                return
            task = self._task(start, end, count)
            decoder, at = msgpack.Decoder(PrefetchedBatch), start
            try:
                async with _running(task) as processes:
                    while at < end:
                        encoded = await _read(processes[(at - start) // _SPAN % count])
                        batch = decoder.decode(encoded)
                        yield batch
                        at = batch.after
            except (OSError, EOFError) as error:  # TimeoutError is an OSError
                logger.warning("prefetching ended early", partition=self._partition, reason=repr(error))

    def _task(self, start: int, end: int, processes: int) -> PrefetchTask:
        return PrefetchTask(
            settings=self._settings,
            topic=self._topic,
            partition=self._partition,
            start=start,
            end=end,
            span=_SPAN,
            number=0,
            processes=processes,
        )


@contextlib.asynccontextmanager
async def _running(task: PrefetchTask) -> AsyncIterator[list[Process]]:
    """Start the processes of *task*; they end with the block, or by themselves once this process has died."""
    processes: list[Process] = []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        for number in range(task.processes):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-c",
                _PROGRAM,
                stdin=PIPE,
                stdout=PIPE,
                limit=_BUFFER_BYTES,
                env=environment,
            )
            processes.append(process)
            assert process.stdin is not None  # noqa: S101 # it was started with a pipe
            process.stdin.write(msgpack.encode(replace(task, number=number)))
            process.stdin.write_eof()
        yield processes
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*(process.wait() for process in processes))


async def _read(process: Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 # it was started with a pipe
    async with asyncio.timeout(_BATCH_SECONDS):
        return await receive_frame(process.stdout)
