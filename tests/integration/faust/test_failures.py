"""Workers that are killed, and a store that stops: no event is lost and none is projected twice."""

import signal
from pathlib import Path

import pytest

from commands.kafka.settings import KafkaSettings
from projections.store import DocumentStore
from tests.integration.faust.conftest import Load, WorkerCluster, eventually
from tests.support.cluster import private_mongo
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(180)]


def test_killed_workers_lose_and_double_nothing(cluster: WorkerCluster) -> None:
    store = cluster.store()
    cluster.worker()
    cluster.worker()
    load = Load(cluster)
    for victim in range(3):
        at = _sequence(store)
        eventually(lambda at=at: _sequence(store) > at + 200, "progress")
        cluster.workers[victim].kill()
        cluster.workers[victim].wait()
        cluster.worker()
    at = _sequence(store)
    eventually(lambda: _sequence(store) > at, "progress after the last kill")
    load.end()
    cluster.assert_agrees(store)
    assert all(worker.poll() is None for worker in cluster.workers[3:])


def test_a_stopped_worker_hands_over(cluster: WorkerCluster) -> None:
    store = cluster.store()
    cluster.worker()
    eventually(lambda: cluster.node.project("first") and _sequence(store), "the first worker")
    cluster.worker()
    load = Load(cluster)
    for number in range(2):
        cluster.workers[number].terminate()
        assert cluster.workers[number].wait(stretched(20)) == 0
        cluster.worker()
        at = _sequence(store)
        eventually(lambda at=at: _sequence(store) > at + 50, "progress")
    load.end()
    cluster.assert_agrees(store)


def test_a_stalled_worker_that_wakes_up_changes_nothing(cluster: WorkerCluster) -> None:
    store = cluster.store()
    cluster.worker()
    eventually(lambda: cluster.node.project("first") and _sequence(store), "the first worker")
    cluster.worker()
    load = Load(cluster)
    cluster.workers[0].send_signal(signal.SIGSTOP)
    at = _sequence(store)
    eventually(lambda: _sequence(store) > at + 200, "the other worker takes over")
    cluster.workers[0].send_signal(signal.SIGCONT)
    at = _sequence(store)
    eventually(lambda: _sequence(store) > at + 200, "progress")
    load.end()
    cluster.assert_agrees(store)
    assert all(worker.poll() is None for worker in cluster.workers)


def test_workers_wait_for_an_unavailable_store(
    tmp_path: Path, settings: KafkaSettings, redis_url: str
) -> None:
    with private_mongo(tmp_path / "mongo") as mongo:
        cluster = WorkerCluster(tmp_path, settings, (mongo.address, "away"), redis_url)
        try:
            store = cluster.store()
            cluster.worker()
            for number in range(20):
                cluster.node.project(f"before {number}")
            cluster.caught_up(store)
            mongo.stop()
            for number in range(20):
                cluster.node.project(f"meanwhile {number}")
            eventually(lambda: "projection waits" in cluster.output(), "the worker waits")
            cluster.worker()  # one that starts while the store is unavailable
            mongo.start()
            assert cluster.workers[0].poll() is None
            cluster.assert_agrees(store)
        finally:
            cluster.close()


def _sequence(store: DocumentStore) -> int:
    return max(checkpoint.sequence for checkpoint in store.checkpoints().values())
