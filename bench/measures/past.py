"""The cost of a question about the past, by the length of the history that it is about."""

import itertools
from collections.abc import Iterator, Sequence
from time import perf_counter

from bench.api import COMMANDS, PROJECTS, create
from bench.connection import Connection, connected, run
from bench.filling import catch_up
from bench.load import closed_loop
from bench.session import MeasureError, Session
from bench.statistics import rounded, summarise
from bench.wire import request

_SIZES = (100, 1_000, 10_000)
_FILES = 50
_BATCH = 200
_QUESTIONS = 200
_LONGEST_SECONDS = 60.0
_PATH = "src/file-{:03}.py"


def past(session: Session) -> None:
    """Ask for states near the end and in the middle of histories of 100, 1,000 and 10,000 events."""
    for size in _SIZES:
        key, positions = run(_fill(session, size))
        catch_up(session, f"the history of {size:,} events", f"catch-up-past-{size}-events")
        _measure(session, size, key, positions)


async def _fill(session: Session, size: int) -> tuple[str, list[str]]:
    """Write a project with *size* events; return its id and the position after each of them."""
    async with connected(session.port, 1) as (connection,):
        answer = await connection.ask(create(session.token, f"{size} events", "public"))
        if not answer.ok:
            raise MeasureError(f"{session.name} refused a project: {answer.status} {answer.body[:300]!r}")
        key, positions = str(answer.json()["id"]), [answer.header("codepark-position") or ""]
        for start in range(1, size, _BATCH):
            numbers = range(start, min(start + _BATCH, size))
            positions += await _write(session, connection, key, numbers)
    return key, positions


async def _write(session: Session, connection: Connection, key: str, numbers: Sequence[int]) -> list[str]:
    commands = [
        {
            "type": "file.write",
            "target": key,
            "data": {"path": _PATH.format(number % _FILES), "content": f"x = {number}\n" * 20},
        }
        for number in numbers
    ]
    body = {"commands": commands}
    answer = await connection.ask(request("POST", COMMANDS, token=session.token, body=body))
    results = answer.json()["results"] if answer.ok else []
    positions = [str(result["position"]) for result in results if "position" in result]
    if len(positions) != len(commands):
        raise MeasureError(f"{session.name} refused files: {answer.status} {answer.body[:300]!r}")
    return positions


def _measure(session: Session, size: int, key: str, positions: Sequence[str]) -> None:
    project = f"{PROJECTS}/{key}"
    near, middle = positions[-40:-10], positions[len(positions) // 2 :][:30]
    began = perf_counter()
    run(_first(session, f"{project}?asOf={near[-1]}"))
    first = (perf_counter() - began) * 1000
    where = f"in a history of {size:,} events, 1 client, p50"
    near_p50 = _p50(session, [f"{project}?asOf={token}" for token in near])
    about = f"GET a project as of a position near the end {where}"
    session.add(f"past-{size}-events", near_p50, "ms", "lower", about, firstQuestion=rounded(first, 3))
    in_the_middle = _p50(session, [f"{project}?asOf={token}" for token in middle])
    session.add(
        f"past-middle-{size}-events", in_the_middle, "ms", "lower", f"GET a project as of its middle {where}"
    )
    file = _p50(session, [f"{project}/files/{_PATH.format(1)}?asOf={token}" for token in near])
    session.add(f"past-file-{size}-events", file, "ms", "lower", f"GET a file as of near the end {where}")


async def _first(session: Session, path: str) -> None:
    async with connected(session.port, 1) as (connection,):
        answer = await connection.ask(request("GET", path, token=session.token))
    if not answer.ok:
        raise MeasureError(f"{session.name}: {answer.status} {answer.body[:300]!r}")


def _p50(session: Session, paths: Sequence[str]) -> float:
    requests: Iterator[bytes] = itertools.cycle([request("GET", path, token=session.token) for path in paths])
    outcome = run(
        closed_loop(
            session.port,
            requests,
            connections=1,
            seconds=_LONGEST_SECONDS,
            warmup=0,
            most=_QUESTIONS,
        )
    )
    session.book.failed("past", session.name, outcome.errors)
    if not outcome.latencies:
        raise MeasureError(f"{session.name}: nothing succeeded: {dict(outcome.errors)}")
    return summarise(outcome.latencies).p50
