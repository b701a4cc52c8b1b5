"""Faust workers over a real Kafka make the read models that a projection in this process makes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from msgspec.structs import replace

from commands.log import Tip
from projections.insights_model import insights_model
from projections.store import Change
from streams.faust.dead_letters import MODEL, OFFSET, REASON
from streams.faust.partition_state import pack, unpack
from streams.faust.requests import RetryRequests, WorkerUnavailableError
from streams.public.topics import PUBLIC
from tests.integration.faust.conftest import (
    PATIENCE_SECONDS,
    WorkerCluster,
    eventually,
    rebuild_under_load,
    write_history,
)
from tests.support.inline_analyser import InlineAnalyser
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


def test_a_worker_catches_up_with_a_history_and_follows(cluster: WorkerCluster) -> None:
    write_history(cluster)
    store = cluster.store()
    cluster.worker()
    cluster.assert_agrees(store)

    write_history(cluster, 5)
    cluster.assert_agrees(store)
    assert not list(cluster.empty.iterdir()), "a worker leaves nothing where it was started"


def test_void_messages_are_left_out(cluster: WorkerCluster) -> None:
    store = cluster.store()
    cluster.worker()
    write_history(cluster, 5)
    asyncio.run(
        _send(cluster, [(b"garbage", []), (b"", [("chain", b"x" * 32)]), (b"{}", [("chain", b"short")])])
    )
    asyncio.run(_repeat_first(cluster))
    write_history(cluster, 5)
    cluster.assert_agrees(store)
    assert "void record" in cluster.output()


def test_a_restarted_worker_continues_at_its_checkpoint(cluster: WorkerCluster) -> None:
    store = cluster.store()
    first = cluster.worker()
    write_history(cluster, 10)
    cluster.caught_up(store)
    first.kill()
    first.wait()
    write_history(cluster, 10)
    tip = cluster.node.log.tip().sequence
    assert max(c.sequence for c in store.checkpoints().values()) < tip
    cluster.worker()
    cluster.assert_agrees(store)
    assert cluster.output().count("sequence=0 ") + cluster.output().count("sequence=0\n") <= 1


def test_an_event_that_cannot_be_projected_becomes_a_dead_letter_until_a_retry(
    cluster: WorkerCluster, tmp_path: Path
) -> None:
    healed = tmp_path / "healed"
    store = cluster.store()
    cluster.worker(healed=str(healed))
    good = cluster.node.project("good")
    bad = cluster.node.project("poison")
    cluster.node.do("project.update", target=bad, name="behind the poison")
    cluster.node.do("project.update", target=good, name="goes on")
    cluster.caught_up(store)

    dead_letters = store.dead_letters("projects")
    assert [letter.stream for letter in dead_letters] == [f"project-{bad}"] * 2
    assert "poison" in str(dead_letters[0].reason)
    assert dead_letters[1].reason is None
    assert store.get("projects", bad) is None
    document = store.get("projects", good)
    assert document is not None
    assert document["name"] == "goes on"
    messages = asyncio.run(_messages(cluster, f"{cluster.settings.prefix}dead-letters", 2))
    first = dict(messages[0].headers)
    assert first[MODEL] == b"projects"
    assert b"poison" in first[REASON]
    assert OFFSET in first
    assert b"poison" in messages[0].value

    requests = RetryRequests(cluster.redis, cluster.settings.prefix, "projections")
    result = requests.ask(timeout=stretched(30))
    assert (result.solved, result.left) == (0, 2)
    healed.touch()
    result = requests.ask(("projects",), timeout=stretched(30))
    assert (result.solved, result.left, result.error) == (2, 0, None)
    assert store.dead_letters("projects") == []
    cluster.node.do("project.update", target=bad, name="healthy again")
    cluster.assert_agrees(store)
    assert not store.checkpoints()["projects"].blocked


def test_a_request_without_a_worker_is_an_error(cluster: WorkerCluster) -> None:
    requests = RetryRequests(cluster.redis, cluster.settings.prefix, "projections")
    with pytest.raises(WorkerUnavailableError):
        requests.ask(timeout=0.2)
    assert requests.take() is None


def test_a_rebuild_switches_while_the_worker_goes_on(cluster: WorkerCluster) -> None:
    rebuild_under_load(cluster, events=30)
    assert "a model was switched" in cluster.output()


def test_insights_are_a_group_of_their_own(cluster: WorkerCluster) -> None:
    models = (insights_model(InlineAnalyser()),)
    store = cluster.store(models)
    cluster.worker("insights")
    write_history(cluster, 10)
    cluster.assert_agrees(store, models)


def test_public_messages_come_in_order_and_without_names(cluster: WorkerCluster) -> None:
    cluster.worker("public")
    ids = write_history(cluster, 5)
    messages = asyncio.run(_messages(cluster, f"{cluster.settings.prefix}public.project.v2", 6))
    created = [
        json.loads(each.value) for each in messages if dict(each.headers)["ce_type"] == b"project.created"
    ]
    assert len({message["project"] for message in created}) == len(ids)
    times = [dict(each.headers)["ce_time"].decode() for each in messages]
    assert times == sorted(times)
    assert all(each.timestamp % 60_000 == 0 for each in messages)
    assert not any(b"project 1" in each.value for each in messages)
    assert not any(id_.encode() in each.value + each.key for each in messages for id_ in ids)


def test_an_event_that_cannot_be_published_is_published_by_a_retry(
    cluster: WorkerCluster, tmp_path: Path
) -> None:
    healed = tmp_path / "healed"
    cluster.worker("public", healed=str(healed))
    (project, *_) = write_history(cluster, 1)
    store = cluster.store()
    eventually(lambda: store.dead_letters(PUBLIC), "a dead letter of the public topics")
    requests = RetryRequests(cluster.redis, cluster.settings.prefix, "public")
    assert requests.ask(timeout=stretched(30)).solved == 0
    healed.touch()
    result = requests.ask(timeout=stretched(30))
    assert (result.left, result.error) == (0, None)
    assert result.solved > 0
    assert store.dead_letters(PUBLIC) == []
    (message, *_) = asyncio.run(_messages(cluster, f"{cluster.settings.prefix}public.project.v2", 1))
    assert dict(message.headers)["ce_type"] == b"project.created"
    assert project.encode() not in message.value + message.key


def test_the_checkpoint_of_another_log_stops_the_worker(cluster: WorkerCluster) -> None:
    write_history(cluster, 5)
    store = cluster.store()
    cluster.worker()
    cluster.caught_up(store)
    cluster.workers[0].terminate()
    cluster.workers[0].wait(stretched(20))
    changes = []
    for name, checkpoint in store.checkpoints().items():
        log_checkpoint = unpack(checkpoint.resume_at)
        other = replace(log_checkpoint, tip=Tip(log_checkpoint.tip.sequence, b"\x01" * 32, 0))
        changed = replace(checkpoint, resume_at=pack(other))
        changes.append(Change(model=name, writes=(), checkpoint=changed))
    store.apply(changes)
    worker = cluster.worker()
    assert worker.wait(stretched(PATIENCE_SECONDS)) != 0
    assert "another log" in cluster.output()


async def _send(cluster: WorkerCluster, messages: list[tuple[bytes | None, list[Any]]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=cluster.settings.bootstrap_servers)
    await producer.start()
    try:
        for value, headers in messages:
            await producer.send_and_wait(cluster.settings.topic, value, headers=headers, partition=0)
    finally:
        await producer.stop()


async def _repeat_first(cluster: WorkerCluster) -> None:
    """Append the first records again, as a writer with an old view would."""
    for message in (await _messages(cluster, cluster.settings.topic, 4))[1:]:
        await _send(cluster, [(message.value, list(message.headers))])


async def _messages(cluster: WorkerCluster, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=cluster.settings.bootstrap_servers,
        auto_offset_reset="earliest",
        metadata_max_age_ms=500,
    )
    await consumer.start()
    messages: list[Any] = []
    try:
        async with asyncio.timeout(stretched(PATIENCE_SECONDS)):
            while len(messages) < count:
                messages.append(await consumer.getone())
    finally:
        await consumer.stop()
    return messages
