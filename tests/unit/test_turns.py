"""Turns of callers: each caller's one after the other, a few callers at once."""

import asyncio

from read_api.turns import Turns


class Reader:
    """Notes who reads at once."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.now: list[str] = []
        self.together: list[tuple[str, ...]] = []

    async def read(self, caller: str) -> None:
        async with self._turns.of(caller):
            self.now.append(caller)
            self.together.append(tuple(sorted(self.now)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.now.remove(caller)


def read(callers: str, running: int) -> Reader:
    async def all_of_them() -> Reader:
        reader = Reader(Turns(running))
        await asyncio.gather(*(reader.read(caller) for caller in callers))
        return reader

    return asyncio.run(all_of_them())


def test_one_caller_reads_one_page_after_the_other():
    assert read("aaaa", running=2).together == [("a",)] * 4


def test_so_many_callers_read_at_once():
    together = read("abcabc", running=2).together
    assert len(together) == 6
    assert max(len(callers) for callers in together) == 2
    assert all(len(set(callers)) == len(callers) for callers in together)


def test_who_asks_a_lot_leaves_the_next_turn_to_the_others():
    order = read("aaaaaab", running=1).together
    assert order[1] == ("b",)


def test_a_request_that_ends_while_it_waits_leaves_its_turn_to_the_next():
    async def steps() -> list[str]:
        turns, read = Turns(1), []

        async def reading(name: str) -> None:
            async with turns.of("a"):
                read.append(name)

        async with turns.of("a"):
            waiting = [asyncio.create_task(reading(name)) for name in ("first", "second")]
            await asyncio.sleep(0)
            waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return read

    assert asyncio.run(steps()) == ["second"]
