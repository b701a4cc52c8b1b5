"""Faust workers over a real Kafka make the read models that a projection in this process makes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from projections.models import READ_MODELS
from streams.faust.dead_letters import MODEL, OFFSET, REASON
from streams.faust.rebuild import rebuild_from_kafka
from streams.faust.requests import RetryRequests, WorkerUnavailableError
from tests.integration.faust.conftest import PATIENCE_SECONDS, Load, Part, assert_equal
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


def write_history(part: Part, projects: int = 50) -> list[str]:
    """Append projects with files, and return their ids."""
    node = part.node
    ids = [node.project(f"project {number}") for number in range(projects)]
    for project in ids[::5]:
        node.do("project.update", target=project, name="renamed")
        node.do("file.write", target=project, path="a.py", content="def f():\n    return 1\n")
    return ids


def test_a_worker_catches_up_with_a_history_and_follows(part: Part) -> None:
    write_history(part)
    store = part.store()
    part.worker()
    part.caught_up(store)
    assert_equal(store, part.expected())

    write_history(part, 5)
    part.caught_up(store)
    assert_equal(store, part.expected())
    assert not list(part.empty.iterdir()), "a worker leaves nothing where it was started"


def test_what_does_not_count_is_left_out(part: Part) -> None:
    store = part.store()
    part.worker()
    write_history(part, 5)
    asyncio.run(
        _send(part, [(b"garbage", []), (b"", [("chain", b"x" * 32)]), (b"{}", [("chain", b"short")])])
    )
    asyncio.run(_repeat_first(part))
    write_history(part, 5)
    part.caught_up(store)
    assert_equal(store, part.expected())
    assert "void record" in part.output()


def test_a_restarted_worker_goes_on_at_its_checkpoint(part: Part) -> None:
    store = part.store()
    first = part.worker()
    write_history(part, 10)
    part.caught_up(store)
    first.kill()
    first.wait()
    write_history(part, 10)
    tip = part.node.log.tip().sequence
    assert max(c.sequence for c in store.checkpoints().values()) < tip
    part.worker()
    part.caught_up(store)
    assert_equal(store, part.expected())
    assert part.output().count("sequence=0 ") + part.output().count("sequence=0\n") <= 1


def test_an_event_that_cannot_be_projected_becomes_a_dead_letter_until_a_retry(
    part: Part, tmp_path: Path
) -> None:
    healed = tmp_path / "healed"
    store = part.store()
    part.worker(healed=str(healed))
    good = part.node.project("good")
    bad = part.node.project("poison")
    part.node.do("project.update", target=bad, name="behind the poison")
    part.node.do("project.update", target=good, name="goes on")
    part.caught_up(store)

    letters = store.dead_letters("projects")
    assert [letter.stream for letter in letters] == [f"project-{bad}"] * 2
    assert "poison" in str(letters[0].reason)
    assert letters[1].reason is None
    assert store.get("projects", bad) is None
    found = store.get("projects", good)
    assert found is not None
    assert found["name"] == "goes on"
    messages = asyncio.run(_messages(part, f"{part.settings.prefix}dead-letters", 2))
    first = dict(messages[0].headers)
    assert first[MODEL] == b"projects"
    assert b"poison" in first[REASON]
    assert OFFSET in first
    assert b"poison" in messages[0].value

    requests = RetryRequests(part.redis, part.settings.prefix, "projections")
    result = requests.ask(timeout=stretched(30))
    assert (result.solved, result.left) == (0, 2)
    healed.touch()
    result = requests.ask(("projects",), timeout=stretched(30))
    assert (result.solved, result.left, result.error) == (2, 0, None)
    assert store.dead_letters("projects") == []
    part.node.do("project.update", target=bad, name="healthy again")
    part.caught_up(store)
    assert_equal(store, part.expected())
    assert not store.checkpoints()["projects"].blocked


def test_a_request_without_a_worker_says_so(part: Part) -> None:
    requests = RetryRequests(part.redis, part.settings.prefix, "projections")
    with pytest.raises(WorkerUnavailableError):
        requests.ask(timeout=0.2)
    assert requests.take() is None


def test_a_rebuild_switches_while_the_worker_goes_on(part: Part) -> None:
    store = part.store()
    part.worker()
    write_history(part, 30)
    part.caught_up(store)
    own = part.store()
    seen: list[tuple[int, ...]] = []
    load = Load(part)
    for number in range(4):
        sequence = rebuild_from_kafka(
            part.settings,
            own,
            part.node.mapper,
            READ_MODELS[number % 2],
            progress=lambda *done: seen.append(done),
        )
        assert sequence >= 30
        assert seen[-1][0] >= seen[-1][1]
    load.end()
    part.caught_up(own)
    assert_equal(own, part.expected())
    assert "a model was switched" in part.output()


def test_insights_are_a_group_of_their_own(part: Part) -> None:
    from projections.insights_model import insights_model
    from tests.support.inline_analyser import InlineAnalyser

    models = (insights_model(InlineAnalyser()),)
    store = part.store(models)
    part.worker("insights")
    write_history(part, 10)
    part.caught_up(store, models)
    assert_equal(store, part.expected(models), models)


def test_public_messages_come_in_order_and_without_names(part: Part) -> None:
    part.worker("public")
    ids = write_history(part, 5)
    messages = asyncio.run(_messages(part, f"{part.settings.prefix}public.project.v1", 6))
    created = [json.loads(m.value) for m in messages if dict(m.headers)["ce_type"] == b"project.created"]
    assert [message["projectId"] for message in created] == ids
    sequences = [int(dict(m.headers)["ce_sequence"]) for m in messages]
    assert sequences == sorted(sequences)
    assert not any(b"project 1" in m.value for m in messages)


def test_the_checkpoint_of_another_log_stops_the_worker(part: Part) -> None:
    from msgspec.structs import replace

    from commands.log import Tip
    from projections.store import Change
    from streams.faust.partition_state import pack, unpack

    write_history(part, 5)
    store = part.store()
    part.worker()
    part.caught_up(store)
    part.workers[0].terminate()
    part.workers[0].wait(stretched(20))
    changes = []
    for name, checkpoint in store.checkpoints().items():
        place = unpack(checkpoint.place)
        other = replace(place, tip=Tip(place.tip.sequence, b"\x01" * 32, 0))
        changes.append(Change(model=name, writes=(), checkpoint=replace(checkpoint, place=pack(other))))
    store.apply(changes)
    worker = part.worker()
    assert worker.wait(stretched(PATIENCE_SECONDS)) != 0
    assert "another log" in part.output()


async def _send(part: Part, messages: list[tuple[bytes | None, list[Any]]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=part.settings.bootstrap_servers)
    await producer.start()
    try:
        for value, headers in messages:
            await producer.send_and_wait(part.settings.topic, value, headers=headers, partition=0)
    finally:
        await producer.stop()


async def _repeat_first(part: Part) -> None:
    """Append the first records once more, as a writer with an old view would."""
    for message in (await _messages(part, part.settings.topic, 4))[1:]:
        await _send(part, [(message.value, list(message.headers))])


async def _messages(part: Part, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=part.settings.bootstrap_servers,
        auto_offset_reset="earliest",
        metadata_max_age_ms=500,
    )
    await consumer.start()
    found: list[Any] = []
    try:
        async with asyncio.timeout(stretched(PATIENCE_SECONDS)):
            while len(found) < count:
                found.append(await consumer.getone())
    finally:
        await consumer.stop()
    return found
