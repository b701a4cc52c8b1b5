"""Workers that are killed, and a store that goes away: nothing is lost and nothing doubled."""

import signal
from pathlib import Path

import pytest

from commands.kafka.settings import KafkaSettings
from tests.integration.faust.conftest import Load, Part, assert_equal, eventually
from tests.support.cluster import private_mongo
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(180)]


def test_killed_workers_lose_and_double_nothing(part: Part) -> None:
    store = part.store()
    part.worker()
    part.worker()
    load = Load(part)
    for victim in range(3):
        at = _sequence(store)
        eventually(lambda at=at: _sequence(store) > at + 200, "progress")
        part.workers[victim].kill()
        part.workers[victim].wait()
        part.worker()
    at = _sequence(store)
    eventually(lambda: _sequence(store) > at, "progress after the last kill")
    load.end()
    part.caught_up(store)
    assert_equal(store, part.expected())
    assert all(worker.poll() is None for worker in part.workers[3:])


def test_a_stopped_worker_hands_over(part: Part) -> None:
    store = part.store()
    part.worker()
    eventually(lambda: part.node.project("first") and _sequence(store), "the first worker")
    part.worker()
    load = Load(part)
    for number in range(2):
        part.workers[number].terminate()
        assert part.workers[number].wait(stretched(20)) == 0
        part.worker()
        at = _sequence(store)
        eventually(lambda at=at: _sequence(store) > at + 50, "progress")
    load.end()
    part.caught_up(store)
    assert_equal(store, part.expected())


def test_a_stalled_worker_that_wakes_up_changes_nothing(part: Part) -> None:
    store = part.store()
    part.worker()
    eventually(lambda: part.node.project("first") and _sequence(store), "the first worker")
    part.worker()
    load = Load(part)
    part.workers[0].send_signal(signal.SIGSTOP)
    at = _sequence(store)
    eventually(lambda: _sequence(store) > at + 200, "the other worker takes over")
    part.workers[0].send_signal(signal.SIGCONT)
    at = _sequence(store)
    eventually(lambda: _sequence(store) > at + 200, "progress")
    load.end()
    part.caught_up(store)
    assert_equal(store, part.expected())
    assert all(worker.poll() is None for worker in part.workers)


def test_a_store_that_is_away_is_waited_for(tmp_path: Path, settings: KafkaSettings, redis_url: str) -> None:
    with private_mongo(tmp_path / "mongo") as mongo:
        part = Part(tmp_path, settings, (mongo.address, "away"), redis_url)
        try:
            store = part.store()
            part.worker()
            for number in range(20):
                part.node.project(f"before {number}")
            part.caught_up(store)
            mongo.stop()
            for number in range(20):
                part.node.project(f"meanwhile {number}")
            eventually(lambda: "projection waits" in part.output(), "the worker waits")
            part.worker()  # one that starts while the store is away
            mongo.start()
            assert part.workers[0].poll() is None
            part.caught_up(store)
            assert_equal(store, part.expected())
        finally:
            part.close()


def _sequence(store) -> int:  # any store
    return max(checkpoint.sequence for checkpoint in store.checkpoints().values())
