"""A process that examines parts of a partition for a reader which takes them in order: `examiners` starts several."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

from msgspec import Struct, msgpack

from commands.kafka.garbage_collection import collecting_seldom
from commands.kafka.prefetch.message import Part, examine
from commands.kafka.protocol.transport import BrokerAwayError, Transport, TruncatedError
from commands.kafka.settings import KafkaSettings
from processes.frames import write_frame

_FETCH_BYTES = 4 * 1024 * 1024
"""With the 16 MiB of a follower a process was twice as large, and took a tenth longer."""


class Task(Struct, frozen=True, kw_only=True):
    """Which offsets one of several processes examines: of the spans between *start* and *end*, each *processes*-th.

    *number* counts the processes from 0.
    """

    settings: KafkaSettings
    topic: str
    partition: int
    start: int
    end: int
    span: int
    number: int
    processes: int

    def spans(self) -> list[range]:
        """Return the spans of this process."""
        first, step = self.start + self.number * self.span, self.processes * self.span
        return [range(at, min(at + self.span, self.end)) for at in range(first, self.end, step)]


async def examine_all(task: Task, transport: Transport, out: BinaryIO) -> None:
    """Write the parts of each span, each behind its length; end early where the log does."""
    encoder = msgpack.Encoder()
    for span in task.spans():
        at = span.start
        while at < span.stop:
            messages, after = await transport.fetch(at, wait=True)
            if after == at:
                return
            at = min(after, span.stop)
            inside = [message for message in messages if message.offset < span.stop]
            try:
                encoded = encoder.encode(Part([examine(message) for message in inside], at))
            except OverflowError:  # a number of a foreign record
                encoded = encoder.encode(Part(inside, at))
            write_frame(out, encoded)


async def _work(task: Task, out: BinaryIO) -> None:
    from commands.kafka.protocol.aiokafka_transport import KafkaTransport  # noqa: PLC0415 # needs the extra `cluster`

    transport = KafkaTransport(task.settings, task.topic, task.partition, fetch_bytes=_FETCH_BYTES)
    try:
        with collecting_seldom():
            await examine_all(task, transport, out)
    finally:
        await transport.close()


def main() -> None:
    """Read the task from standard input, and write what is examined to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this process ends it
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed is no part
    # The reader meets the same where it goes on by itself, and tells; or it is gone.
    with suppress(BrokerAwayError, TruncatedError, OSError):
        asyncio.run(_work(msgpack.decode(sys.stdin.buffer.read(), type=Task), out))
