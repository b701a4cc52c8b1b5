"""The queue alone: limits, order, waking, closing; and the worker that takes its groups in an event loop."""

import asyncio
import threading
from typing import NamedTuple

import pytest

from commands.queue import BusyError, LoopWorker, WorkQueue
from tests.support.time_scale import stretched


class Item(NamedTuple):
    name: str
    count: int = 1
    size: int = 0


def queue_of(*items, **limits):
    queue = WorkQueue(**{"group": 1_000} | limits)
    for item in items:
        queue.put(item)
    return queue


def names(items):
    return [item.name for item in items]


def groups_of(queue):
    groups = []
    while group := queue.take():
        groups.append(names(group))
    return groups


def test_items_are_taken_in_order_and_all_at_once():
    queue = queue_of(Item("a"), Item("b"), Item("c"))
    assert groups_of(queue) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ((1, 1, 1, 1), ["abc", "d"]),
        ((2, 2, 1, 1), ["ab", "cd"]),  # the item that reaches the limit still belongs to the group
        ((9, 1, 1, 1), ["a", "bcd"]),
        ((0, 0, 0, 3), ["abcd"]),
    ],
)
def test_a_group_ends_with_the_item_that_reaches_its_limit(counts, groups):
    queue = queue_of(*map(Item, "abcd", counts), group=3)
    assert ["".join(group) for group in groups_of(queue)] == groups


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ((5, 5, 5, 5), ["ab", "cd"]),
        ((5, 6, 4, 1), ["a", "bc", "d"]),  # the item that would exceed the limit begins the next group
        ((99, 1, 1, 1), ["a", "bcd"]),  # one that is too large by itself goes alone
        ((1, 99, 1, 1), ["a", "b", "cd"]),
    ],
)
def test_a_group_ends_before_the_item_that_exceeds_its_size(sizes, groups):
    items = [Item(name, size=size) for name, size in zip("abcd", sizes, strict=True)]
    queue = queue_of(*items, size=lambda item: item.size, group_size=10)
    assert ["".join(group) for group in groups_of(queue)] == groups


def test_nothing_is_admitted_while_more_than_the_limit_waits():
    queue = queue_of(Item("a", 5), Item("b", 5), waiting=5)  # no more than 5 waited before the second one
    assert queue.waiting == 10
    for refused in (queue.put, queue.admit):
        with pytest.raises(BusyError, match="10 commands are waiting"):
            refused(Item("c"))
    assert queue.waiting == 10
    group = queue.take()
    assert queue.waiting == 10  # taken, and not answered yet
    queue.release(group[:1])
    queue.put(Item("c"))
    assert queue.waiting == 6
    assert groups_of(queue) == [["c"]]


def test_an_admitted_item_counts_and_is_not_taken_before_it_is_lined_up():
    queue, item = queue_of(), Item("a", 3)
    queue.admit(item)
    assert (queue.waiting, queue.empty, queue.take()) == (3, True, [])
    queue.line_up([item])
    assert (queue.waiting, queue.empty, queue.take()) == (3, False, [item])


def test_the_worker_is_woken_once_until_it_has_found_nothing():
    queue, wakes = queue_of(group=1), []
    queue.wake = lambda: wakes.append(queue.empty)
    queue.put(Item("a"))
    queue.line_up([Item("b")])
    assert wakes == [False]  # there is something to take when it wakes
    queue.take()
    queue.put(Item("c"))
    assert len(wakes) == 1  # it still works, and will take this one too
    assert groups_of(queue) == [["b"], ["c"]]
    queue.line_up([Item("d")])
    assert len(wakes) == 2


def test_a_closed_queue_admits_nothing_and_its_worker_ends_after_the_last_item():
    queue, wakes = queue_of(Item("a")), []
    queue.wake = lambda: wakes.append(None)
    held_back = Item("b")
    queue.admit(held_back)
    queue.close()
    assert wakes == [None]
    with pytest.raises(BusyError, match="stopping"):
        queue.put(Item("c"))
    with pytest.raises(BusyError, match="stopping"):
        queue.admit(Item("c"))
    queue.line_up([held_back])
    assert (names(queue.take()), queue.ended) == (["a", "b"], False)
    assert (queue.take(), queue.ended) == ([], True)
    with pytest.raises(BusyError, match="stopping"):
        queue.line_up([held_back])


def test_an_open_queue_that_is_empty_does_not_end_its_worker():
    queue = queue_of()
    assert (queue.take(), queue.ended) == ([], False)


def test_many_threads_lose_nothing_and_keep_their_own_order():
    queue, woken, taken = queue_of(group=7), threading.Event(), []
    queue.wake = woken.set

    def put(thread):
        for number in range(500):
            queue.put(Item((thread, number)))

    def work():
        while True:
            group = queue.take()
            taken.extend(names(group))
            queue.release(group)
            if group:
                continue
            if queue.ended:
                return
            woken.wait()
            woken.clear()

    worker = threading.Thread(target=work)
    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in (worker, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    queue.close()
    worker.join(stretched(30))
    assert not worker.is_alive()
    assert len(taken) == 8 * 500
    assert all([n for t, n in taken if t == thread] == list(range(500)) for thread in range(8))
    assert queue.waiting == 0


def test_a_loop_worker_takes_one_group_after_the_other():
    async def run():
        queue, running, groups = queue_of(group=2), [], []

        async def work(group):
            assert not running
            running.append(group)
            await asyncio.sleep(0)
            groups.append(names(group))
            running.clear()

        worker = LoopWorker(asyncio.get_running_loop(), queue, work)
        for name in "abc":
            queue.put(Item(name))
        await asyncio.sleep(0)
        queue.put(Item("d"))
        queue.close()
        await asyncio.sleep(0)
        await worker.drained()
        return groups

    assert asyncio.run(run()) == [["a", "b"], ["c", "d"]]


def test_a_loop_worker_wakes_again_after_it_has_rested():
    async def run():
        worked, groups = asyncio.Event(), []

        async def work(group):
            groups.append(names(group))
            worked.set()

        queue = queue_of()
        worker = LoopWorker(asyncio.get_running_loop(), queue, work)
        for name in "ab":
            worked.clear()
            await asyncio.to_thread(queue.put, Item(name))
            async with asyncio.timeout(stretched(5)):
                await worked.wait()
            await worker.drained()
        return groups

    assert asyncio.run(run()) == [["a"], ["b"]]
