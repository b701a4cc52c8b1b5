"""The contestants: CodePark, and the peers that answer the same requests."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.book import OURS, Book
from bench.codepark_server import CodePark
from bench.plan import Plan
from bench.postgres import postgres
from bench.processes import Server, start
from bench.session import Session, Starter
from devservers.ports import free_port

SQLITE_PEER = "FastAPI, SQLite"
POSTGRES_PEER = "FastAPI, PostgreSQL"
EVERYONE = (OURS, SQLITE_PEER, POSTGRES_PEER)


@contextmanager
def running(name: str, folder: Path, book: Book, plan: Plan, say: Callable[[str], None]) -> Iterator[Session]:
    """Run the contestant *name* with new data in *folder*; raise ServerError or PostgresMissingError."""
    with ExitStack() as stack:
        serve = CodePark(folder).serve if name == OURS else _peer(name, folder, stack)
        server, seconds = serve()
        stack.callback(server.stop)
        session = Session(name, server, None, book, plan, say, serve)
        stack.callback(session.stop)
        if name == OURS:
            session.token = CodePark(folder).token()
        session.add("startup-empty", 1000 * seconds, "ms", "lower", "start until ready, no events")
        session.remember_memory("startup-empty")
        yield session


def _peer(name: str, folder: Path, stack: ExitStack) -> Starter:
    also: tuple[int, ...] = ()
    if name == POSTGRES_PEER:
        database = stack.enter_context(postgres())
        env, also = database.env, (database.pid,)
    else:
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "events.db")}

    def serve() -> tuple[Server, float]:
        port = free_port()
        command = [sys.executable, "-m", "bench.peers.fastapi_sqlite", str(port)]
        return start("peer", command, port, folder=folder, env=env, also=also)

    return serve
