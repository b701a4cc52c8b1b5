"""A server that drops what it has is no server for jobs."""

import asyncio

import redis

from codepark.valkey import Valkey
from jobs.bullmq.connection import eviction_of
from tests.support.server import eventually


def test_a_server_that_evicts_is_named_and_one_that_does_not_is_taken(tmp_path):
    cache, queue = Valkey(), Valkey(tmp_path / "queue")
    try:
        for server in (cache, queue):
            eventually(lambda server=server: answers(server))
        assert "evicts (allkeys-lru)" in asyncio.run(eviction_of(f"unix://{cache.socket}"))
        assert asyncio.run(eviction_of(f"unix://{queue.socket}")) is None
    finally:
        cache.close()
        queue.close()


def answers(server):
    try:
        with server.client() as client:
            return client.ping()
    except redis.RedisError:
        return False


def test_what_the_queue_stores_is_its_owner_s_alone(tmp_path):
    server = Valkey(tmp_path / "queue")
    try:
        eventually(lambda: answers(server))
        with server.client() as client:
            client.set("a", "b")
        modes = [path.stat().st_mode & 0o077 for path in (tmp_path / "queue").rglob("*")]
        assert modes
        assert not any(modes)
        assert (tmp_path / "queue").stat().st_mode & 0o077 == 0
    finally:
        server.close()
