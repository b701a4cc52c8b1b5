"""Queries over HTTP: one project by its id, and the newest twenty."""

from bench.api import create, lists, reads
from bench.book import OURS
from bench.connection import connected, run
from bench.session import MeasureError, Session

_CONNECTIONS = 64


def queries(session: Session) -> None:
    """Read public projects on 64 connections, without a token and, where there is one, with it."""
    ids = run(public_projects(session))
    for name, token in _callers(session).items():
        caller = "anonymous" if name == "anonymous" else "with token"
        session.closed(
            f"get-{name}", reads(token, ids), f"GET a project, {caller}", "requests", connections=_CONNECTIONS
        )
        session.closed(
            f"list-{name}", lists(token), f"GET 20 projects, {caller}", "requests", connections=_CONNECTIONS
        )
    session.remember_memory("queries")


def _callers(session: Session) -> dict[str, str | None]:
    """Return the token of each kind of caller; a peer, which has no authentication, gets none."""
    return (
        {"anonymous": None, "token": session.token}
        if session.name == OURS
        else {"anonymous": None, "token": None}
    )


async def public_projects(session: Session) -> list[str]:
    """Create public projects; return their ids once the last can be read."""
    ids: list[str] = []
    async with connected(session.port, 1) as (connection,):
        for number in range(session.plan.read_projects):
            answer = await connection.ask(create(session.token, f"public {number}", "public"))
            if not answer.ok:
                raise MeasureError(f"{session.name} refused a project: {answer.status} {answer.body[:300]!r}")
            ids.append(answer.json()["id"])
    return ids
