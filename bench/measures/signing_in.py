"""Logins: their rate, the memory that they add, and the latency of other requests meanwhile."""

import asyncio
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.api import PASSWORD, lists
from bench.book import OURS, Book
from bench.codepark_server import CodePark
from bench.connection import connected, run
from bench.load import closed_loop
from bench.outcome import Outcome
from bench.plan import Plan
from bench.processes import Server, start
from bench.session import MIB, MeasureError, Session
from bench.statistics import summarise
from bench.wire import request
from devservers.ports import free_port

PEER = "FastAPI, Argon2 in its thread pool"
_ACCOUNTS = 80
_CONNECTIONS = (1, 64)
_LOOK_SECONDS = 0.02
_LEAST_SECONDS = 10.0  # of 64 at once, each takes some seconds
_LOGIN = "/api/v1/auth/login"


def signing_in(folder: Path, book: Book, plan: Plan, say: Callable[[str], None]) -> None:
    """Log in on 1 and on 64 connections, while another connection reads a list."""
    with ExitStack() as stack:
        for session in (_codepark(folder, stack, book, plan, say), _peer(folder, stack, book, plan, say)):
            for connections in _CONNECTIONS:
                _measure(session, connections)


def _codepark(folder: Path, stack: ExitStack, book: Book, plan: Plan, say: Callable[[str], None]) -> Session:
    codepark = CodePark(folder, {"CODEPARK_SIGN_IN_LIMITS": "off"})
    server, _ = codepark.serve()
    session = Session(OURS, server, None, book, plan, say, codepark.serve)
    stack.callback(session.stop)
    run(_register(session))
    return session


def _peer(folder: Path, stack: ExitStack, book: Book, plan: Plan, say: Callable[[str], None]) -> Session:
    def serve() -> tuple[Server, float]:
        port = free_port()
        command = [sys.executable, "-m", "bench.peers.argon2_fastapi", str(port)]
        return start("argon2", command, port, folder=folder, env={})

    server, _ = serve()
    session = Session(PEER, server, None, book, plan, say, serve)
    stack.callback(session.stop)
    return session


async def _register(session: Session) -> None:
    async with connected(session.port, 1) as (connection,):
        for number in range(_ACCOUNTS):
            body = {"email": f"p{number}@example.org", "name": f"p{number}", "password": PASSWORD}
            answer = await connection.ask(request("POST", "/api/v1/auth/register", body=body))
            if not answer.ok:
                raise MeasureError(f"registration was refused: {answer.status} {answer.body[:300]!r}")


def _measure(session: Session, connections: int) -> None:
    before = session.server.resident_bytes()
    with _peak(session.server) as peak:
        logins, others = run(_both(session, connections))
    session.book.failed(f"login-{connections}", session.name, logins.errors)
    if not logins.latencies or not others.latencies:
        raise MeasureError(f"{session.name}: nothing succeeded: {dict(logins.errors)} {dict(others.errors)}")
    about = f"logins, {connections} connection{'s' if connections > 1 else ''}"
    session.add(f"login-{connections}-rate", logins.rate, "logins/s", "higher", about)
    session.latencies(f"login-{connections}", [logins], about)
    grown = max(peak[0] - before, 0) / MIB
    session.add(
        f"login-{connections}-memory", grown, "MiB", "lower", f"most memory added to that at rest, {about}"
    )
    slowest = summarise(others.latencies).p99
    session.add(
        f"login-{connections}-others-p99", slowest, "ms", "lower", f"p99 of a list meanwhile, {about}"
    )


async def _both(session: Session, connections: int) -> tuple[Outcome, Outcome]:
    seconds = max(session.plan.seconds, _LEAST_SECONDS)
    logins, others = await asyncio.gather(
        closed_loop(session.port, _logins(), connections=connections, seconds=seconds),
        closed_loop(session.port, lists(None), connections=1, seconds=seconds),
    )
    return logins, others


def _logins() -> Iterator[bytes]:
    return itertools.cycle(
        [
            request("POST", _LOGIN, body={"email": f"p{number}@example.org", "password": PASSWORD})
            for number in range(_ACCOUNTS)
        ]
    )


@contextmanager
def _peak(server: Server) -> Iterator[list[int]]:
    """Note the highest memory of the server while the block runs."""
    highest, ended = [server.resident_bytes()], threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            highest[0] = max(highest[0], server.resident_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield highest
    finally:
        ended.set()
        thread.join()
