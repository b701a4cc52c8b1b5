"""Questions about the past: so many at once, so many that wait, and each process has its own."""

import asyncio
import threading

import pytest

from read_api.past_answers import PastAnswers
from read_api.problems import HttpError
from tests.support.time_scale import stretched


def test_no_more_are_answered_at_once_than_allowed_and_no_more_wait():
    async def run():
        running, most, release = [], [], threading.Event()

        def queries_at(project_id, sequence):
            running.append(project_id)
            most.append(len(running))
            assert release.wait(stretched(60))
            running.remove(project_id)
            return project_id, sequence

        past, other = (PastAnswers(queries_at, running=2, waiting=1) for _ in range(2))
        questions = [asyncio.create_task(past.ask(f"p{n}", n, lambda q: q)) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(HttpError) as refused:
            await past.ask("p3", 3, lambda q: q)
        assert (refused.value.status, refused.value.code) == (503, "busy")
        elsewhere = asyncio.create_task(other.ask("q", 9, lambda q: q))
        await asyncio.sleep(0)
        release.set()
        assert await asyncio.gather(*questions) == [(f"p{n}", n) for n in range(3)]
        assert await elsewhere == ("q", 9)
        assert max(most) <= 3, "two of one process, one of another"
        assert await past.ask("p4", 4, lambda q: q) == ("p4", 4), "there is room again"

    asyncio.run(run())


def test_a_question_that_fails_leaves_its_place():
    async def run():
        past = PastAnswers(lambda *_: {}, running=1, waiting=0)
        for _ in range(3):
            with pytest.raises(KeyError):
                await past.ask("p", 1, lambda queries: queries["x"])

    asyncio.run(run())
