"""The import of a real git history into a running server, with `codepark import-git`."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.api import PROJECTS
from bench.book import OURS, Book
from bench.codepark_server import CodePark
from bench.connection import ask, connected, run
from bench.contestants import running
from bench.measures.startup import restart
from bench.plan import Plan
from bench.session import MeasureError, Session
from bench.wire import request

_HISTORY = "history-*.jsonl*"
_MOST_PAGES = 10_000


def importing(folder: Path, book: Book, plan: Plan, say: Callable[[str], None]) -> None:
    """Import a history, count its events, measure the server's memory, and start it again."""
    history = next(iter(sorted(plan.data.glob(_HISTORY))), None) if plan.data is not None else None
    if history is None:
        book.leave_out("import", f"--data names no folder with a file {_HISTORY}")
        return
    with running(OURS, folder, book, plan, say) as session:
        _import(session, CodePark(folder), history)
        session.remember_memory("import")
        restart(session, "after the import", "import")


def _import(session: Session, codepark: CodePark, history: Path) -> None:
    token = session.token or ""
    before = session.server.cpu_seconds()
    began = perf_counter()
    imported = codepark.json(
        "import-git", str(history), "--server", f"http://127.0.0.1:{session.port}", "--token", token
    )
    seconds = perf_counter() - began
    cpu = session.server.cpu_seconds() - before
    answer = run(ask(session.port, request("GET", f"{PROJECTS}/{imported['projectId']}", token=token)))
    if not answer.ok:
        raise MeasureError(f"the imported project cannot be read: {answer.status}")
    about = f"import of a git history of {imported['commits']} commits into a running server"
    session.add("import-time", seconds, "s", "lower", about, serverCpuSeconds=round(cpu, 2))
    session.add("import-commits", imported["commits"] / seconds, "commits/s", "higher", about)
    events = run(_events(session))
    if events < imported["commits"]:
        raise MeasureError(f"{imported['commits']} commits were imported, but the log has {events} events")
    session.add("import-events", events / seconds, "events/s", "higher", f"{about}, {events} events")


async def _events(session: Session) -> int:
    """Return the number of events in the log; read all of them."""
    path, total, cursor = "/api/v1/events?limit=100", 0, ""
    async with connected(session.port, 1) as (connection,):
        for _ in range(_MOST_PAGES):
            answer = await connection.ask(request("GET", path + cursor, token=session.token))
            if not answer.ok:
                raise MeasureError(f"the events cannot be read: {answer.status}")
            page = answer.json()
            total += len(page["items"])
            if not page["nextCursor"]:
                break
            cursor = f"&cursor={page['nextCursor']}"
    return total
