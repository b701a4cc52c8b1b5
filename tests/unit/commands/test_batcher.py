"""Gathering: a lone caller does not wait, a crowd shares a batch, and the order stays."""

import asyncio

from commands import batcher as module
from commands.batcher import Gathering
from tests.support.time_scale import stretched


async def handed_on(*turns):
    """Add each turn's items in one turn of the loop, let the batch settle, and return the batches."""
    batches, settled = [], asyncio.Event()

    def hand_on(items):
        batches.append(items)
        settled.set()

    loop, gathering = asyncio.get_running_loop(), Gathering(hand_on)
    for items in turns:
        settled.clear()
        for item in items:
            gathering.add(loop, item)
        async with asyncio.timeout(stretched(5)):
            await settled.wait()
    return batches


def test_what_comes_in_one_turn_is_one_batch_in_order():
    assert asyncio.run(handed_on([1, 2, 3], [4, 5, 6])) == [[1, 2, 3], [4, 5, 6]]


def test_a_lone_item_goes_in_the_next_turn_of_the_loop():
    async def run():
        batches = []
        gathering = Gathering(batches.append)
        gathering.add(asyncio.get_running_loop(), 1)
        await asyncio.sleep(0)
        return batches

    assert asyncio.run(run()) == [[1]]


def test_after_a_crowd_the_first_waits_for_as_many(monkeypatch):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 60.0)  # a busy machine stands still for a millisecond

    async def run():
        batches = []
        loop, gathering = asyncio.get_running_loop(), Gathering(batches.append)
        for item in range(4):
            gathering.add(loop, item)
        await asyncio.sleep(0)
        gathering.add(loop, 4)
        await asyncio.sleep(0)
        waiting = list(batches)
        for item in range(5, 8):
            gathering.add(loop, item)
        await asyncio.sleep(0)
        return waiting, batches

    waiting, batches = asyncio.run(run())
    assert waiting == [[0, 1, 2, 3]]
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_who_waits_for_a_crowd_that_does_not_come_goes_all_the_same():
    assert asyncio.run(handed_on([1, 2, 3, 4], [5], [6])) == [[1, 2, 3, 4], [5], [6]]
