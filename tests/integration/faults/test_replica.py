"""The local replica is a cache: lost, damaged or of another log, it is rebuilt, and clients do not notice."""

import sqlite3
from contextlib import closing

import httpx
import pytest
from msgspec.structs import replace

from commands.kafka.prefetch import pool
from commands.kafka.protocol.transport import OutgoingMessage
from commands.log import LogUnavailableError
from tests.support.server import eventually

from .local import facts, running, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PROJECTS = 20


def deleted(file):
    for each in file.parent.iterdir():
        each.unlink()


def truncated(file):
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size // 2)


def emptied(file):
    with file.open("r+b") as handle:
        handle.truncate(0)


def overwritten(file):
    """Every page but the first is noise."""
    with file.open("r+b") as handle:
        handle.seek(4_096)
        handle.write(b"\xa5" * (file.stat().st_size - 4_096))


def header_overwritten(file):
    with file.open("r+b") as handle:
        handle.write(b"\xa5" * 100)


def record_overwritten(file):
    """Overwrite the page of the first records: a start looks only at the last two."""
    page = file.read_bytes().index(b'"name":"p1"') // 4_096
    with file.open("r+b") as handle:
        handle.seek(page * 4_096)
        handle.write(b"\xa5" * 4_096)


NOTICED_AT_THE_START = [deleted, truncated, emptied, overwritten, header_overwritten]
NOTICED_WHEN_READ = [record_overwritten]


def create_all(node):
    return facts([node.create(f"p{number}", f"k{number}") for number in range(PROJECTS)])


@pytest.mark.parametrize("damage", [*NOTICED_AT_THE_START, *NOTICED_WHEN_READ])
def test_a_replica_that_is_damaged_between_two_runs_is_rebuilt(settings, tmp_path, damage):
    with running(settings, tmp_path) as node:
        first, chains = create_all(node), [record.chain for record in node.log.read(0, 1_000)]
        end = node.log.checkpoint.next_offset
    assert node.replica.stat().st_size > 40_000  # everything has been moved out of the write-ahead log
    damage(node.replica)
    when_read = damage in NOTICED_WHEN_READ
    with running(settings, tmp_path) as node:
        assert node.opened_at == (end if when_read else 0)
        assert eventually(lambda: read(node)) == chains
        assert node.log.partition.rebuilds == int(when_read)
        assert eventually(lambda: replayed(node)) == first
        assert node.create("one more").position.sequence() == len(chains) + 1
    with running(settings, tmp_path) as node:
        assert node.opened_at == end + 1
        assert [record.chain for record in node.log.read(0, 1_000)][:-1] == chains
        assert node.log.partition.rebuilds == 0


def replayed(node):
    """Return the outcomes of retries of everything; None while the replica is being rebuilt."""
    try:
        return create_all(node)
    except LogUnavailableError:
        return None


def read(node):
    """Return the chain values of all records; None while the replica is being rebuilt."""
    if node.log.unavailable is not None:
        return None
    try:
        return [record.chain for record in node.log.read(0, 1_000)]
    except LogUnavailableError:
        return None


def test_a_replica_of_another_log_is_rebuilt(settings, tmp_path):
    with running(settings, tmp_path / "one") as one:
        create_all(one)
    other = replace(settings, prefix=f"{settings.prefix}two.")
    with running(other, tmp_path / "two") as two:
        first = two.create("a", "k0").position
    two.replica.write_bytes(one.replica.read_bytes())
    with running(other, tmp_path / "two") as two:
        assert two.create("a", "k0").position == first
        assert two.create("b", "k1").position.sequence() == 2
        assert two.log.partition.rebuilds == 1


@pytest.fixture
def two_processes(monkeypatch):
    """Let two processes prefetch, even over a distance of a few messages."""
    monkeypatch.setattr(pool, "_LEAST_MESSAGES", 2)
    monkeypatch.setattr(pool, "_SPAN", 7)
    monkeypatch.setattr(pool, "_cores", pool.CoreBudget(2))


def content(file):
    with closing(sqlite3.connect(file)) as replica:
        return list(replica.iterdump())


def test_a_replica_made_by_several_processes_is_the_same(settings, tmp_path, two_processes, monkeypatch):
    with running(settings, tmp_path / "one") as node:
        create_all(node)
        send(settings, OutgoingMessage(b"k", b"{}", [("chain", b"\x01" * 32)]))
        node.create("one more")
    with running(settings, tmp_path / "several") as several:
        assert several.log.partition.void == 1
        assert several.create("one more", "k").position.sequence() == several.opened_at + PROJECTS + 2
    monkeypatch.setattr(pool, "_cores", pool.CoreBudget(1))
    with running(settings, tmp_path / "alone"):
        pass
    with running(settings, tmp_path / "several"):
        pass
    assert content(several.replica) == content(tmp_path / "alone" / "replica" / "replica-0.sqlite")


def test_a_process_that_dies_takes_nothing_of_the_replica_with_it(
    settings, tmp_path, two_processes, monkeypatch
):
    with running(settings, tmp_path / "one") as node:
        first = create_all(node)
    started, read = [], pool._read

    async def read_and_kill(process):
        started.append(process)
        batch = await read(process)
        process.kill()
        return batch

    monkeypatch.setattr(pool, "_read", read_and_kill)
    deleted(node.replica)
    with running(settings, tmp_path / "one") as node:
        assert create_all(node) == first
    assert len(started) > 1
    assert all(process.returncode is not None for process in started)


def test_a_node_without_its_replica_answers_as_before(install):
    node = install().start_nodes(1)[0]

    def create(number):
        headers = {"Idempotency-Key": f"k{number}"}
        with node.client() as client:
            answer = client.post("/api/v1/projects", json={"name": f"p{number}"}, headers=headers)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return answer.json()["id"], answer.headers["ETag"], answer.headers["CodePark-Position"]

    first = [create(number) for number in range(3)]
    assert node.stop() == 0
    deleted(node.data / "replica" / "replica-0.sqlite")
    node.start_again()
    assert [create(number) for number in range(3)] == first
