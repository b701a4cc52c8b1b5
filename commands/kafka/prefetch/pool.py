"""Read a long part of a partition through several processes: one interpreter works on one core only."""

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

from commands.kafka.prefetch.message import Part
from commands.kafka.prefetch.worker import Task
from commands.kafka.settings import KafkaSettings
from processes.frames import receive_frame

_LEAST = 50_000
"""With fewer messages, the start of the processes costs what they save."""
_MOST = 2
"""To link and keep a record costs half of what examining it does: a third process would wait for its reader."""
_SPAN = 20_000
_PART_SECONDS = 15.0
_BUFFER_BYTES = 4 * 1024 * 1024
_PROGRAM = "from commands.kafka.prefetch.worker import main; main()"

logger = structlog.get_logger(__name__)


class Cores:
    """How many processes may run at once, for all partitions together; none where there is one core."""

    def __init__(self, count: int) -> None:
        """Have *count* cores."""
        self._free = count if count > 1 else 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def taken(self, most: int) -> Iterator[int]:
        """Take up to *most*, as many as are free."""
        with self._lock:
            count = min(most, self._free)
            self._free -= count
        try:
            yield count
        finally:
            with self._lock:
                self._free += count


_cores = Cores(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class Examiners:
    """Examine the messages of one partition in processes that live as long as that takes."""

    def __init__(self, settings: KafkaSettings, topic: str, partition: int) -> None:
        """Read *partition* of *topic*."""
        self._settings = settings
        self._topic = topic
        self._partition = partition

    async def parts(self, start: int, end: int) -> AsyncGenerator[Part]:
        """Yield messages from *start* on in order, up to *end* or as far as it went; nothing where that is near.

        It raises nothing: whoever reads on from there meets what ended it.
        """
        if end - start < _LEAST:
            return
        with _cores.taken(_MOST) as count:
            if not count:
                return
            task = Task(
                settings=self._settings,
                topic=self._topic,
                partition=self._partition,
                start=start,
                end=end,
                span=_SPAN,
                number=0,
                processes=count,
            )
            decoder, at = msgpack.Decoder(Part), start
            try:
                async with _started(task) as processes:
                    while at < end:
                        encoded = await _read(processes[(at - start) // _SPAN % count])
                        part = decoder.decode(encoded)
                        yield part
                        at = part.after
            except (OSError, EOFError) as error:  # a time-out is an OSError
                logger.warning("examining ended early", partition=self._partition, reason=repr(error))


@contextlib.asynccontextmanager
async def _started(task: Task) -> AsyncIterator[list[Process]]:
    """Start the processes of *task*; they end with the block, and by themselves where this process dies."""
    found: list[Process] = []
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
            found.append(process)
            assert process.stdin is not None  # noqa: S101 # it was started with a pipe
            process.stdin.write(msgpack.encode(replace(task, number=number)))
            process.stdin.write_eof()
        yield found
    finally:
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*(process.wait() for process in found))


async def _read(process: Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 # it was started with a pipe
    async with asyncio.timeout(_PART_SECONDS):
        return await receive_frame(process.stdout)
