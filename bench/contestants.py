"""Who is measured: CodePark, and the peers behind the same requests."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.book import OURS
from bench.codepark_server import CodePark
from bench.measures.startup import Starter
from bench.postgres import postgres
from bench.processes import Server, free_port, start

SQLITE_PEER = "fastapi + eventsourcing, SQLite"
POSTGRES_PEER = "fastapi + eventsourcing, PostgreSQL"


@dataclass
class Running:
    """A contestant that runs: its server, its token, and how to start it again on the same data."""

    server: Server
    token: str | None
    serve: Starter


Contestant = Callable[[Path], Iterator[Running]]


@contextmanager
def contestant(name: str, folder: Path) -> Iterator[tuple[Server, str | None, Starter]]:
    """Run the contestant *name* in *folder*; its last server is the caller's to stop."""
    with ExitStack() as stack:
        if name == OURS:
            codepark = CodePark(folder)
            server, _ = codepark.serve()
            stack.callback(server.stop)
            yield server, codepark.token(), codepark.serve
            return
        env, also, version = _store(name, folder, stack)

        def serve() -> tuple[Server, float]:
            port = free_port()
            command = [sys.executable, "-m", "bench.peers.fastapi_sqlite", str(port)]
            return start("peer", command, port, folder=folder, env=env, also=also)

        server, _ = serve()
        stack.callback(server.stop)
        yield server, None, serve


def _store(name: str, folder: Path, stack: ExitStack) -> tuple[dict[str, str], tuple[int, ...], str]:
    if name == SQLITE_PEER:
        path = str(folder / "events.db")
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": path}, (), ""
    running = stack.enter_context(postgres())
    return running.env, (running.pid,), running.version
