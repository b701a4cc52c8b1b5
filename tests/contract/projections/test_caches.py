"""What every cache must do. Redis is real: the server that the embedded profile starts."""

import pytest
import redis

from codepark.valkey import Valkey
from projections.cache import MOST_VALUE_BYTES, MemoryCache
from projections.redis.cache import RedisCache
from projections.redis.channel import PositionPublisher, positions
from tests.support.server import eventually


@pytest.fixture(scope="module")
def valkey():
    server = Valkey()
    eventually(lambda: answers(server))
    yield server
    server.close()


def answers(server):
    try:
        with server.client() as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@pytest.fixture(params=["memory", "redis"])
def cache(request):
    if request.param == "memory":
        yield MemoryCache()
        return
    with request.getfixturevalue("valkey").client() as client:
        yield RedisCache(client, f"{request.node.name}.")


def test_a_value_is_found_under_its_key(cache):
    assert cache.get("a") is None
    cache.put("a", b"1", 60)
    cache.put("b", b"2", 60)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (b"1", b"2", None)


def test_the_last_value_counts(cache):
    cache.put("a", b"1", 60)
    cache.put("a", b"2", 60)
    assert cache.get("a") == b"2"


def test_everything_can_be_forgotten(cache):
    cache.put("a", b"1", 60)
    cache.forget()
    assert cache.get("a") is None
    cache.put("a", b"2", 60)
    assert cache.get("a") == b"2"


def test_a_value_expires(cache):
    cache.put("a", b"1", 1)
    assert eventually(lambda: cache.get("a") is None, seconds=5)


def test_a_value_that_is_too_large_is_not_stored(cache):
    cache.put("a", b"1", 60)
    cache.put("b", bytes(MOST_VALUE_BYTES), 60)
    cache.put("a", bytes(MOST_VALUE_BYTES + 1), 60)
    assert len(cache.get("b")) == MOST_VALUE_BYTES
    assert cache.get("a") in (None, b"1")


def test_memory_is_bounded_by_bytes_too():
    cache = MemoryCache(most_bytes=1_000)
    for number in range(10):
        cache.put(f"{number}", bytes(300), 60)
        cache.put("same", bytes(100), 60)
    assert [number for number in range(10) if cache.get(f"{number}")] == [7, 8, 9]
    assert cache._bytes == 1_000


def test_memory_is_bounded():
    cache = MemoryCache(size=3)
    for number in range(10):
        cache.put(f"{number}", b"x", 60)
    assert [number for number in range(10) if cache.get(f"{number}")] == [7, 8, 9]


def test_an_unavailable_redis_is_no_error():
    client = redis.Redis(unix_socket_path="/nowhere/valkey.sock")
    cache = RedisCache(client, "x.")
    cache.put("a", b"1", 60)
    cache.forget()
    assert cache.get("a") is None
    client.close()


def test_positions_reach_another_client(valkey):
    with valkey.client() as sender, valkey.client() as receiver:
        heard = positions(receiver, "channel", 0.5)
        assert next(heard) is None
        publisher = PositionPublisher(sender, "channel")
        for sequence in range(1, 20):
            publisher.publish(sequence)
        last = 0
        while last < 19:
            sequence = next(heard)
            assert sequence is None or sequence >= last
            last = sequence or last
        publisher.close()
        heard.close()


def test_a_killed_server_comes_back(valkey):
    before = valkey.pid
    import os
    import signal

    os.kill(before, signal.SIGKILL)
    eventually(lambda: valkey.pid != before and answers(valkey))
