"""The cache and the channel of a process: where they are, and what the channel says."""

import sys
from types import SimpleNamespace

import psutil
import pytest
import redis

from codepark import cache_and_channel
from codepark.cache_and_channel import CacheAndChannel
from codepark.settings import RedisUrls, Settings
from codepark.valkey import Valkey
from projections.cache import MemoryCache
from projections.redis.cache import RedisCache
from tests.support.partitions import home_in, memory_logs
from tests.support.server import eventually

NOWHERE = "redis://127.0.0.1:1/0"


class Publisher:
    """What was published, where."""

    def __init__(self, client, channel):
        self.client = client
        self.channel = channel
        self.sequences = []

    def publish(self, sequence):
        self.sequences.append(sequence)

    def close(self):
        self.sequences.append("closed")


@pytest.fixture
def publishers(monkeypatch):
    made = []

    def new(client, channel):
        made.append(Publisher(client, channel))
        return made[-1]

    monkeypatch.setattr(cache_and_channel, "PositionPublisher", new)
    return made


def url_of(client):
    options = client.get_connection_kwargs()
    return options["host"], options.get("port"), options["db"]


def test_the_redis_of_the_settings_is_used(tmp_path, publishers):
    shared = CacheAndChannel(Settings(data=tmp_path, redis_url=NOWHERE), memory_logs(1))
    assert (shared.url, shared.pid) == (NOWHERE, None)
    assert isinstance(shared.cache, RedisCache)
    (publisher,) = publishers
    assert publisher.channel == "codepark.positions"
    assert url_of(publisher.client) == ("127.0.0.1", 1, 0)
    shared.close()
    assert publisher.sequences == ["closed"]


def test_each_use_may_have_its_own(tmp_path, publishers):
    urls = {use: f"redis://{use}/1" for use in ("cache", "sessions", "queue", "pubsub")}
    shared = CacheAndChannel(Settings(data=tmp_path, redis=RedisUrls(**urls)), memory_logs(1))
    assert shared.url == "redis://pubsub/1"
    assert url_of(shared.cache._client)[0] == "cache"
    assert url_of(publishers[0].client)[0] == "pubsub"
    shared.close()


def test_the_position_is_the_sum_over_the_partitions(tmp_path, publishers):
    logs = memory_logs(2)
    logs[0].add(home_in(0, 2), 1)
    shared = CacheAndChannel(Settings(data=tmp_path, redis_url=NOWHERE), logs)
    logs[1].add(home_in(1, 2), 2)
    logs[1].add(home_in(1, 2), 3)
    logs[0].add(home_in(0, 2), 4)
    assert publishers[0].sequences == [2, 3, 4]
    shared.close()


def test_without_a_valkey_on_this_machine_the_cache_is_in_memory(tmp_path, monkeypatch, publishers):
    monkeypatch.setitem(sys.modules, "codepark.valkey", None)
    logs = memory_logs(1)
    shared = CacheAndChannel(Settings(data=tmp_path), logs)
    assert (shared.url, shared.pid) == (None, None)
    assert isinstance(shared.cache, MemoryCache)
    logs[0].add("a", 1)
    assert publishers == []
    shared.close()


def test_a_valkey_that_does_not_start_is_no_reason_not_to_serve(tmp_path, monkeypatch, publishers):
    def failing():
        raise OSError("no processes left")

    monkeypatch.setitem(sys.modules, "codepark.valkey", SimpleNamespace(Valkey=failing))
    shared = CacheAndChannel(Settings(data=tmp_path), memory_logs(1))
    assert isinstance(shared.cache, MemoryCache)
    shared.close()


class TestOwnValkey:
    def test_it_serves_the_cache_and_ends_with_the_process(self, tmp_path):
        shared = CacheAndChannel(Settings(data=tmp_path), memory_logs(1))
        try:
            process = psutil.Process(shared.pid)
            client = redis.Redis.from_url(shared.url)
            assert eventually(lambda: _answers(client))
            shared.cache.put("a", b"1", 60)
            assert shared.cache.get("a") == b"1"
            client.close()
        finally:
            shared.close()
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    def test_it_is_started_again_when_it_ends(self, monkeypatch):
        monkeypatch.setattr("codepark.valkey._RESTART_SECONDS", 0.01)
        valkey = Valkey()
        try:
            assert eventually(lambda: _answers(valkey.client()))
            first = valkey.pid
            psutil.Process(first).kill()
            eventually(lambda: valkey.pid != first)
            assert eventually(lambda: _answers(valkey.client()))
        finally:
            valkey.close()
        assert not valkey.socket.parent.exists()

    def test_it_is_reached_through_a_socket_of_its_user_alone(self):
        valkey = Valkey()
        try:
            eventually(lambda: _answers(valkey.client()))
            assert valkey.socket.stat().st_mode & 0o777 == 0o700
            assert valkey.socket.parent.stat().st_mode & 0o777 == 0o700
            assert valkey.client().config_get("port") == {"port": "0"}
            assert valkey.client().config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        finally:
            valkey.close()

    def test_where_the_kernel_cannot_end_it_a_shell_does(self, monkeypatch):
        monkeypatch.setattr("codepark.valkey.ending_with_parent", lambda _: None)
        valkey = Valkey()
        try:
            assert eventually(lambda: _answers(valkey.client()))
            server = next(
                child
                for child in psutil.Process(valkey.pid).children(recursive=True)
                if child.name() == "valkey-server"
            )
            valkey._closed.set()
            valkey._process.stdin.close()  # as when this process ends
            assert eventually(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
        finally:
            valkey.close()


def _answers(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False
