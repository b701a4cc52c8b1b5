"""The partitions that are assigned to a worker, each with the driver that takes its messages."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from faust.types import TP

from commands.kafka.protocol.message import Message
from streams.faust.app import Inbox
from streams.faust.driver import BATCH, LostPartitionError, PartitionDriver

_IDLE_SECONDS = 0.5


class Assignment:
    """Opens a driver for each assigned partition, and feeds the drivers with what Faust delivers."""

    def __init__(
        self, open_driver: Callable[[int], PartitionDriver], failed: Callable[[BaseException], None]
    ) -> None:
        """Open drivers with *open_driver*; *failed* gets errors that no retry can mend."""
        self._open = open_driver
        self._failed = failed
        self.drivers: dict[int, PartitionDriver] = {}

    async def starts(self, assigned: set[TP]) -> Mapping[TP, int]:
        """Return the offset where to begin in each assigned partition; a driven one continues where it is."""
        await self.keep_only(assigned)
        return {each: await self._start(each.partition) for each in assigned}

    async def _start(self, partition: int) -> int:
        driver = self.drivers.get(partition)
        if driver is None:
            driver = self.drivers[partition] = self._open(partition)
        try:
            return (await driver.begin()).next_offset
        except LostPartitionError:
            return 0
        except Exception as error:  # noqa: BLE001 # whatever it is, this worker cannot continue
            self._failed(error)
            return 0

    async def keep_only(self, assigned: set[TP]) -> None:
        """End the drivers of all other partitions: a worker must not store what another one owns."""
        ours = {each.partition for each in assigned}
        for partition in self.drivers.keys() - ours:
            await self.drivers.pop(partition).end()

    async def revoke(self, revoked: set[TP]) -> None:
        """End the drivers of *revoked* partitions."""
        for each in revoked:
            driver = self.drivers.pop(each.partition, None)
            if driver is not None:
                await driver.end()

    async def feed(self, inbox: Inbox) -> None:
        """Take what arrives, in batches of whatever is there.

        Batches grow with the load by themselves: while one is stored, the next one gathers.
        """
        while True:
            gathered = await _gather(inbox)
            try:
                await self._take(gathered)
            except LostPartitionError:
                continue
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 # as above
                self._failed(error)
                await asyncio.Event().wait()

    async def _take(self, gathered: Mapping[int, Sequence[Message]]) -> None:
        for partition, messages in gathered.items():
            for start in range(0, len(messages), BATCH):
                if (driver := self._begun(partition)) is not None:
                    await driver.take(messages[start : start + BATCH])
        for partition in list(self.drivers):
            if (driver := self._begun(partition)) is not None:
                await driver.between_batches()

    def _begun(self, partition: int) -> PartitionDriver | None:
        driver = self.drivers.get(partition)
        return driver if driver is not None and driver.begun else None

    def offsets(self) -> dict[int, int]:
        """Return, by partition, the offset after what is stored."""
        return {
            number: driver.projector.log_checkpoint.next_offset for number, driver in self.drivers.items()
        }

    async def close(self) -> None:
        """End all drivers."""
        for partition in list(self.drivers):
            await self.drivers.pop(partition).end()


async def _gather(inbox: Inbox) -> dict[int, list[Message]]:
    """Return, by partition, the messages that have arrived; empty if none arrives for a while."""
    gathered: dict[int, list[Message]] = {}
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_IDLE_SECONDS):
            arrived = await inbox.get()
        while True:
            partition, records = arrived
            gathered.setdefault(partition, []).extend(
                Message(record.offset, record.key, record.value, record.headers) for record in records
            )
            size += len(records)
            if size >= BATCH or inbox.empty():
                break
            arrived = inbox.get_nowait()
    return gathered
