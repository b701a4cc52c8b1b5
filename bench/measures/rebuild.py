"""Rebuild a read model from a log of 100,000 events, offline."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.book import OURS, Book
from bench.codepark_server import CodePark
from bench.contestants import running
from bench.filling import fill
from bench.peers.projects import Projects
from bench.peers.view import MemoryView, SQLiteView, feed
from bench.plan import Plan

_BATCH = 500
_DURABLE_EVENTS = 10_000
_ABOUT = "rebuild of the projects read model (CodePark: including the start of the program)"
_UNIT = "events/s"
Say = Callable[[str], None]


def rebuild(folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Fill a data directory through the server, stop the server, and rebuild."""
    codepark = CodePark(folder)
    with running(OURS, folder, book, plan, say) as session:
        events, _ = fill(session, plan.rebuild_events)
    for _ in range(plan.repeats):
        began = perf_counter()
        report = codepark.json("rebuild", "projects", "--data", str(codepark.data))
        seconds = perf_counter() - began
        session.add("rebuild", events / seconds, _UNIT, "higher", _ABOUT, report=report, events=events)


def replay(folder: Path, book: Book, plan: Plan, say: Say) -> None:
    """Replay the peer's notification log into its views, in this process: without the start of a program."""
    path = folder / "replay.db"
    app = Projects(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)})
    try:
        for _ in range(plan.rebuild_events // _BATCH):
            app.create_all((f"project {number}", "private") for number in range(_BATCH))
        for repeat in range(plan.repeats):
            _record(
                book,
                say,
                "library, view in memory",
                _seconds(app, MemoryView(), None),
                plan.rebuild_events,
            )
            view = SQLiteView(str(folder / f"view-{repeat}.db"))
            try:
                _record(
                    book,
                    say,
                    "library, view in SQLite",
                    _seconds(app, view, _DURABLE_EVENTS),
                    _DURABLE_EVENTS,
                )
            finally:
                view.datastore.close()
    finally:
        app.close()


def _seconds(app: Projects, view: MemoryView | SQLiteView, most: int | None) -> float:
    began = perf_counter()
    apply: Callable[[Any, Any], None] = view.apply
    feed(app, apply, 0, most)
    return perf_counter() - began


def _record(book: Book, say: Say, peer: str, seconds: float, events: int) -> None:
    book.add("rebuild", peer, events / seconds, unit=_UNIT, better="higher", about=_ABOUT, events=events)
    say(f"{peer}: {events / seconds:,.0f} {_UNIT}")
