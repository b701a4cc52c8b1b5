"""Everything that an installation keeps, as bytes: files, Redis, MongoDB, Kafka."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
import redis
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient

from codepark.data_directory import DataDirectory
from projections.mongodb.connection import database_name
from tests.support.cluster_server import ClusterServer
from tests.support.server import Server


def stored(server: Server) -> bytes:
    """Return all that *server* has stored."""
    return b"\n".join(_stored(server))


def _stored(server: Server) -> Iterator[bytes]:
    yield from files(server.data)
    for log in server.data.parent.glob(f"{server.data.name}*.log"):
        yield log.read_bytes()
    if not isinstance(server, ClusterServer):
        announced = DataDirectory(server.data).server()
        assert announced is not None
        assert announced.redis_url is not None
        yield from _redis(announced.redis_url, "*")
        return
    settings = server.cluster_settings
    prefix = settings["CODEPARK_TOPIC_PREFIX"]
    yield from _redis(settings["CODEPARK_REDIS_URL"], f"{prefix}*")
    yield from _mongodb(settings["CODEPARK_MONGODB_URI"], prefix)
    yield from asyncio.run(_kafka(settings["CODEPARK_KAFKA_BOOTSTRAP_SERVERS"], prefix))


def files(folder: Path) -> Iterator[bytes]:
    """Yield the content of every file below *folder*."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


def _redis(url: str, pattern: str) -> Iterator[bytes]:
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(match=pattern):
            yield key + b"=" + _value(client, key)


def _value(client: "redis.Redis", key: bytes) -> bytes:
    kind: Any = client.type(key)
    if kind == b"string":
        return client.get(key) or b""  # type: ignore[return-value]
    readers = {
        b"hash": lambda: client.hgetall(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
    }
    return repr(readers[kind]()).encode() if kind in readers else b""


def _mongodb(uri: str, prefix: str) -> Iterator[bytes]:
    with MongoClient(uri) as client:
        database = client[database_name(uri, prefix)]
        for name in database.list_collection_names():
            for document in database[name].find():
                yield bson.encode(document)


async def _kafka(servers: str, prefix: str) -> list[bytes]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(prefix)]
        places = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(names)
            for partition in topic["partitions"]
        ]
    finally:
        await admin.close()
    messages = []
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        while [place for place in places if await consumer.position(place) < ends[place]]:
            for batch in (await consumer.getmany(timeout_ms=1_000)).values():
                for message in batch:
                    headers = b" ".join(value for _, value in message.headers)
                    messages.append(b" ".join((message.key or b"", message.value or b"", headers)))
    return messages
