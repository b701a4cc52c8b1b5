"""Turns of callers: each caller's requests one after the other, a few callers at once."""

import asyncio

import pytest

from projections.budget import Budget, RequestEndedError, budgeted
from read_api.turns import Turns


class Reader:
    """Notes who reads at once, and whose requests are between their reading and their end."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.reading: list[str] = []
        self.together: list[tuple[str, ...]] = []
        self.unended: list[str] = []
        self.most_unended = 0

    async def ask(self, caller: str) -> None:
        with budgeted() as request:
            for _ in range(2):  # as an operation of GraphQL that asks for two pages
                async with self._turns.of(caller, request):
                    self.reading.append(caller)
                    self.together.append(tuple(sorted(self.reading)))
                    await asyncio.sleep(0)
                    self.reading.remove(caller)
            self.unended.append(caller)
            self.most_unended = max(self.most_unended, len(self.unended))
            await asyncio.sleep(0)
            self.unended.remove(caller)


def ask(callers: str, running: int) -> Reader:
    async def all_of_them() -> Reader:
        reader = Reader(Turns(running))
        await asyncio.gather(*(reader.ask(caller) for caller in callers))
        return reader

    return asyncio.run(all_of_them())


def test_one_callers_requests_follow_each_other_until_they_end():
    reader = ask("aaaa", running=2)
    assert reader.together == [("a",)] * 8
    assert reader.most_unended == 1


def test_so_many_read_at_once():
    together = ask("abcabc", running=2).together
    assert len(together) == 12
    assert max(len(callers) for callers in together) == 2
    assert all(len(set(callers)) == len(callers) for callers in together)


def test_who_asks_a_lot_leaves_the_next_turn_to_the_others():
    assert ("b",) in ask("aaaaaab", running=1).together[:3]


def test_a_request_that_waits_for_something_else_keeps_nobody_from_reading():
    async def steps() -> None:
        turns = Turns(1)
        with budgeted() as slow:
            async with turns.of("a", slow):
                pass
            with budgeted() as quick:
                async with turns.of("b", quick):
                    pass

    asyncio.run(steps())


def test_a_request_that_ends_while_it_waits_leaves_its_turn_to_the_next():
    async def steps() -> list[str]:
        turns, read = Turns(1), []

        async def reading(name: str) -> None:
            with budgeted() as request:
                async with turns.of("a", request):
                    read.append(name)

        with budgeted() as first:
            async with turns.of("a", first):
                waiting = [asyncio.create_task(reading(name)) for name in ("second", "third")]
                await asyncio.sleep(0)
                waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return read

    assert asyncio.run(steps()) == ["third"]


def test_what_is_left_of_an_ended_request_keeps_no_turn():
    async def steps() -> None:
        turns, ended = Turns(1), Budget()
        ended.end()
        with pytest.raises(RequestEndedError):
            async with turns.of("a", ended):
                raise AssertionError
        with budgeted() as request:
            async with turns.of("a", request):
                pass

    asyncio.run(steps())
