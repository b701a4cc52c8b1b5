"""Questions about the past: so many at once, a part for each caller, and none outlives its request."""

import asyncio
import threading
from contextlib import suppress

import pytest

from read_api.past_answers import PastAnswers, Work, WorkEndedError
from read_api.problems import HttpError
from tests.support.time_scale import stretched


class Blocking:
    """A past whose answers are made when the test says so."""

    def __init__(self):
        self.release = threading.Event()
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def queries(self, project_id, sequence, _work):
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.release.wait(stretched(60))
        with self._lock:
            self.running -= 1
        return project_id, sequence

    def authored_by(self, *_):
        raise AssertionError("nobody asks")


def nothing_is_in_the_way(past):
    past.release.set()
    return past


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_no_more_are_answered_at_once_than_allowed_and_no_more_wait():
    async def run():
        past = Blocking()
        answers = PastAnswers(past, running=2, waiting=1)
        questions = [asyncio.create_task(answers.ask(f"c{n}", f"p{n}", n, lambda q: q)) for n in range(3)]
        await settle()
        with pytest.raises(HttpError) as refused:
            await answers.ask("c3", "p3", 3, lambda q: q)
        assert (refused.value.status, refused.value.code) == (503, "busy")
        past.release.set()
        assert await asyncio.gather(*questions) == [(f"p{n}", n) for n in range(3)]
        assert past.most <= 2
        assert await answers.ask("c4", "p4", 4, lambda q: q) == ("p4", 4), "there is room again"

    asyncio.run(run())


def test_one_caller_holds_a_part_of_the_places_and_keeps_nobody_from_the_others():
    async def run():
        past = Blocking()
        answers = PastAnswers(past, running=2, waiting=6, each=3)
        greedy = [asyncio.create_task(answers.ask("greedy", "g", n, lambda q: q)) for n in range(3)]
        await settle()
        with pytest.raises(HttpError) as refused:
            await answers.ask("greedy", "g", 9, lambda q: q)
        assert refused.value.headers["Retry-After"]
        other = asyncio.create_task(answers.ask("other", "o", 1, lambda q: q))
        await asyncio.to_thread(lambda: wait_for(lambda: past.running == 2))
        assert past.most == 2, "one of each"
        past.release.set()
        assert await other == ("o", 1)
        assert len(await asyncio.gather(*greedy)) == 3

    asyncio.run(run())


def wait_for(condition):
    until = threading.Event()
    for _ in range(round(stretched(30) / 0.01)):
        if condition():
            return
        until.wait(0.01)
    raise AssertionError("the condition does not come true")


@pytest.mark.parametrize("ended_by", ["cancelled", "timed out"])
def test_work_ends_with_its_request_and_leaves_its_place(ended_by):
    async def run():
        answers = PastAnswers(nothing_is_in_the_way(Blocking()), running=1, waiting=0)
        begun, stopped = threading.Event(), threading.Event()

        def endless(work):
            begun.set()
            try:
                while True:
                    work.step()
            except WorkEndedError:
                stopped.set()
                raise

        question = asyncio.create_task(answers.run("ada", endless))
        assert await asyncio.to_thread(begun.wait, stretched(30))
        if ended_by == "cancelled":
            question.cancel()
        with suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(None if ended_by == "cancelled" else 0):
                await question
        assert await asyncio.to_thread(stopped.wait, stretched(30)), "the thread stops at its next step"
        assert await answers.run("bob", lambda _: "answered") == "answered"

    asyncio.run(run())


def test_a_thread_that_has_not_stopped_yet_keeps_its_place_among_the_running():
    async def run():
        past = Blocking()
        answers = PastAnswers(past, running=1, waiting=4)
        first = asyncio.create_task(answers.ask("ada", "p", 1, lambda q: q))
        await asyncio.to_thread(lambda: wait_for(lambda: past.running == 1))
        first.cancel()
        second = asyncio.create_task(answers.ask("bob", "p", 2, lambda q: q))
        await settle()
        assert past.most == 1
        past.release.set()
        assert await second == ("p", 2)
        assert past.most == 1

    asyncio.run(run())


def test_a_question_that_fails_leaves_its_place():
    async def run():
        answers = PastAnswers(nothing_is_in_the_way(Blocking()), running=1, waiting=0, each=1)
        for _ in range(3):
            with pytest.raises(TypeError):
                await answers.ask("ada", "p", 1, lambda queries: queries["x"])
        assert len(answers._callers) == 0

    asyncio.run(run())


def test_work_that_has_not_ended_goes_on():
    Work().step()
