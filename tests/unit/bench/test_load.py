import asyncio
import contextlib
import itertools

import pytest

from bench.connection import run
from bench.load import closed_loop, open_loop
from bench.wire import request
from tests.support.time_scale import stretched

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
ASK = request("GET", "/")


@contextlib.asynccontextmanager
async def server(answers, *, close_after=None):
    """Serve *answers* over and over; close each connection after that many."""
    answers = itertools.cycle(answers)

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            for count in itertools.count(1):
                await reader.readuntil(b"\r\n\r\n")
                if close_after is not None and count > close_after:
                    break
                writer.write(next(answers))
        writer.close()

    async with asyncio.TaskGroup() as serving:
        listener = await asyncio.start_server(lambda r, w: serving.create_task(serve(r, w)), "127.0.0.1", 0)
        yield listener.sockets[0].getsockname()[1]
        listener.close()


def closed(answers, **more):
    async def work():
        async with server(answers, close_after=more.pop("close_after", None)) as port:
            return await closed_loop(
                port, itertools.repeat(ASK), **{"connections": 2, "seconds": stretched(5), "warmup": 0} | more
            )

    return run(work())


def test_a_closed_loop_ends_after_the_most_requests():
    outcome = closed([OK], most=50)
    assert (outcome.answered, outcome.done, len(outcome.latencies)) == (50, 50, 50)
    assert not outcome.errors
    assert outcome.seconds < stretched(5)


def test_a_closed_loop_ends_when_its_time_is_over():
    seconds = stretched(1)
    outcome = closed([OK], seconds=seconds, warmup=0.1)
    assert outcome.seconds == pytest.approx(seconds)
    assert outcome.answered > outcome.done > 0
    assert outcome.rate == outcome.done / outcome.seconds


def test_errors_are_counted_by_status_and_have_no_latency():
    outcome = closed([OK, BUSY], most=40)
    assert outcome.errors == {"503": 20}
    assert len(outcome.latencies) == outcome.answered == 20


def test_units_weigh_an_answer():
    assert closed([OK], most=10, units=lambda answer: len(answer.body)).answered == 20


def test_a_lost_connection_is_an_error_and_is_opened_again():
    outcome = closed([OK], most=40, connections=1, close_after=9)
    assert outcome.errors == {"connection lost": 4}
    assert outcome.answered == 36


def test_an_open_loop_keeps_its_rate_and_counts_the_wait():
    async def work():
        async with server([OK, BUSY]) as port:
            return await open_loop(port, itertools.repeat(ASK), rate=200, seconds=0.2, connections=1)

    outcome = run(work())
    assert (outcome.done, outcome.errors) == (20, {"503": 20})
    assert len(outcome.late) == 40
    assert outcome.seconds >= 0.19
