"""A process that prefetches spans of a partition for a follower; `pool` starts several."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

from msgspec import Struct, msgpack

from commands.kafka.garbage_collection import infrequent_collection
from commands.kafka.prefetch.message import PrefetchedBatch, prefetch_message
from commands.kafka.protocol.transport import BrokerUnavailableError, Transport, TruncatedError
from commands.kafka.settings import KafkaSettings
from processes.frames import write_frame

_FETCH_BYTES = 4 * 1024 * 1024
"""With the 16 MiB of a follower, a process was twice as large and took a tenth longer."""


class PrefetchTask(Struct, frozen=True, kw_only=True):
    """Which offsets one of several processes prefetches: every *processes*-th span between *start* and *end*.

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


async def prefetch_spans(task: PrefetchTask, transport: Transport, out: BinaryIO) -> None:
    """Write the batches of each span, each after its length; end early where the log ends."""
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
                encoded = encoder.encode(PrefetchedBatch([prefetch_message(each) for each in inside], at))
            except OverflowError:  # a foreign record carries a number that msgpack cannot hold
                encoded = encoder.encode(PrefetchedBatch(inside, at))
            write_frame(out, encoded)


async def _work(task: PrefetchTask, out: BinaryIO) -> None:
    from commands.kafka.protocol.aiokafka_transport import KafkaTransport  # noqa: PLC0415 # needs the extra `cluster`

    transport = KafkaTransport(task.settings, task.topic, task.partition, fetch_bytes=_FETCH_BYTES)
    try:
        with infrequent_collection():
            await prefetch_spans(task, transport, out)
    finally:
        await transport.close()


def main() -> None:
    """Read the task from standard input, and write the batches to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(
        sys.stderr.fileno(), sys.stdout.fileno()
    )  # anything else that is printed must not get among the batches
    # The follower reads on by itself, meets the same error and reports it; or it has ended.
    with suppress(BrokerUnavailableError, TruncatedError, OSError):
        asyncio.run(_work(msgpack.decode(sys.stdin.buffer.read(), type=PrefetchTask), out))
