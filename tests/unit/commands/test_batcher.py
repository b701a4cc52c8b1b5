"""Batcher: a lone caller does not wait, a crowd shares a batch, and the order stays."""

import asyncio

from commands import batcher as module
from commands.batcher import Batcher
from tests.support.time_scale import stretched


async def handed_over(*turns):
    """Add each turn's items in one turn of the loop, let the batch settle, and return the batches."""
    batches, settled = [], asyncio.Event()

    def hand_over(items):
        batches.append(items)
        settled.set()

    loop, batcher = asyncio.get_running_loop(), Batcher(hand_over)
    for items in turns:
        settled.clear()
        for item in items:
            batcher.add(loop, item)
        async with asyncio.timeout(stretched(5)):
            await settled.wait()
    return batches


def test_items_of_one_turn_of_the_loop_are_one_batch_in_order():
    assert asyncio.run(handed_over([1, 2, 3], [4, 5, 6])) == [[1, 2, 3], [4, 5, 6]]


def test_a_lone_item_goes_in_the_next_turn_of_the_loop():
    async def run():
        batches = []
        batcher = Batcher(batches.append)
        batcher.add(asyncio.get_running_loop(), 1)
        await asyncio.sleep(0)
        return batches

    assert asyncio.run(run()) == [[1]]


def test_after_several_items_the_next_one_waits_for_as_many(monkeypatch):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 60.0)  # a busy machine stands still for a millisecond

    async def run():
        batches = []
        loop, batcher = asyncio.get_running_loop(), Batcher(batches.append)
        for item in range(4):
            batcher.add(loop, item)
        await asyncio.sleep(0)
        batcher.add(loop, 4)
        await asyncio.sleep(0)
        waiting = list(batches)
        for item in range(5, 8):
            batcher.add(loop, item)
        await asyncio.sleep(0)
        return waiting, batches

    waiting, batches = asyncio.run(run())
    assert waiting == [[0, 1, 2, 3]]
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_an_item_that_waits_in_vain_for_others_goes_after_a_while():
    assert asyncio.run(handed_over([1, 2, 3, 4], [5], [6])) == [[1, 2, 3, 4], [5], [6]]
