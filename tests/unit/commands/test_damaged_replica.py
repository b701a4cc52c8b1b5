"""Whichever page of a replica is damaged, reads are right: the damage does not matter, or is repaired."""

import asyncio
from contextlib import contextmanager

import pytest

from commands.chain import source_of
from commands.kafka.loop_thread import LoopThread
from commands.kafka.node.event_log import KafkaEventLog
from commands.keys import PersonalCipher
from commands.kms import LocalKms
from commands.log import LogUnavailableError
from commands.mapper import EventMapper
from commands.sqlite.keys import SQLiteKeyStore
from domain.project.events import ProjectDeleted
from tests.support.profile import SECRETS
from tests.support.time_scale import stretched
from tests.unit.commands.test_chain import a_record
from tests.unit.commands.test_prefetch import OPENED, OPENING, SETTINGS, CountedMessage, chained

RECORDS = 60
PAGE = 4_096


class MemoryTransport:
    """A partition in memory that nobody appends to."""

    def __init__(self, messages):
        self.messages = messages

    async def fetch(self, offset, *, wait):
        page = self.messages[offset : offset + 500]
        if not page:
            await asyncio.sleep(0.01)
        return page, offset + len(page)

    async def end(self):
        return len(self.messages)

    async def close(self):
        pass


class NoPrefetcher:
    async def batches(self, start, end):
        return
        yield


@pytest.fixture(scope="module")
def history():
    items = [
        CountedMessage(
            a_record(
                source=source_of("l"),
                stream=f"project-{number % 7}",
                version=number // 7 + 1,
                sequence=number + 1,
                at=number + 1,
                command=f"command-{number}",
                topic=ProjectDeleted.TOPIC,
                data=b'{"projectId":"%d"}' % number,
            )
        )
        for number in range(RECORDS)
    ]
    return [OPENING, *chained(OPENED, *items)[0]]


@contextmanager
def opened(folder, history):
    """Yield a log that reads *history* into the replica in *folder*, and whether it kept that replica."""
    keys, thread = SQLiteKeyStore(folder / "keys.sqlite", LocalKms(SECRETS.master_key)), LoopThread()
    transport = MemoryTransport(history)
    mapper = EventMapper(PersonalCipher(keys))
    log = KafkaEventLog(SETTINGS, mapper, folder, thread, transport=transport, prefetcher=NoPrefetcher())

    kept = log.checkpoint.next_offset > 0

    async def start():
        log.partition.follow(lambda: ("l", 1))

    try:
        thread.run(start())
        yield log, kept
    finally:
        log.close()
        thread.close()
        keys.close()


def answered(ask):
    """Return what *ask* returns once the log can be read; a replica that is being rebuilt is unavailable."""

    async def until_available():
        async with asyncio.timeout(stretched(20)):
            while True:
                try:
                    return ask()
                except LogUnavailableError:
                    await asyncio.sleep(0.01)

    return asyncio.run(until_available())


def everything(log):
    """Return what can be read of *log*; raise LogUnavailableError while it is read or rebuilt."""
    rebuilds = log.partition.rebuilds
    require_available(log)
    content = (
        [record.chain for record in log.read(0, 1_000)],
        [[item.version for item in log.stream_events(f"project-{number}")] for number in range(7)],
        [[r.sequence for r in log.command_records(f"command-{number}")] for number in range(RECORDS)],
    )
    require_available(log)
    if log.partition.rebuilds > rebuilds:
        raise LogUnavailableError("it was rebuilt in between")
    return content


def require_available(log):
    if log.unavailable is not None:
        raise LogUnavailableError(log.unavailable)


@pytest.fixture(scope="module")
def sound(tmp_path_factory, history):
    """Return the bytes of a replica of *history*, and what is read from it."""
    folder = tmp_path_factory.mktemp("sound")
    with opened(folder, history) as (log, _):
        content = answered(lambda: everything(log))
    assert len(content[0]) == RECORDS
    assert not (folder / "replica-0.sqlite-wal").exists()
    return (folder / "replica-0.sqlite").read_bytes(), content


@pytest.mark.parametrize("shift", [0, PAGE // 2], ids=["whole pages", "halves of two pages"])
def test_damage_anywhere_in_the_file_changes_nothing_that_is_read(tmp_path, history, sound, shift):
    file, content = sound
    noticed = set()
    for start in range(shift, len(file), PAGE):
        folder = tmp_path / f"{start}"
        folder.mkdir()
        (folder / "replica-0.sqlite").write_bytes(damaged(file, start))
        with opened(folder, history) as (log, kept):
            foreign = []
            log.on_foreign(foreign.append)
            assert answered(lambda log=log: everything(log)) == content, start
            assert foreign.count(()) == log.partition.rebuilds  # the bus forgets what it knew
            noticed.add("when read" if log.partition.rebuilds else "never" if kept else "at the start")
    assert {"at the start", "when read"} <= noticed


def damaged(file, start):
    return (file[:start] + b"\xa5" * PAGE + file[start + PAGE :])[: len(file)]
