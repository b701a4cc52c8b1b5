"""The architecture guide's GraphQL query, and the REST list of the same projects, on one server."""

import itertools
from collections.abc import Iterator

from bench.api import PASSWORD, PROJECTS, lists
from bench.book import OURS
from bench.connection import connected, run
from bench.measures.queries import public_projects
from bench.session import MeasureError, Session
from bench.wire import Answer, request

GUIDE = "{ projects { id name collaborators { id name } aiInsights { complexity suggestions } } }"
LISTED = 20
_CONNECTIONS = 64
_SOURCE = "def pick(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12))


def graphql(session: Session) -> None:
    """Request the newest twenty projects, by REST and by GraphQL."""
    run(fill_listed(session, run(public_projects(session))[-LISTED:]))
    run(_check(session))
    session.closed(
        "graphql-list",
        lists(session.token, LISTED),
        "GET 20 projects, in the run of GraphQL",
        "requests",
        connections=_CONNECTIONS,
    )
    session.closed(
        "graphql-guide",
        guide_queries(session.token),
        "the guide's query over 20 projects",
        "requests",
        connections=_CONNECTIONS,
        units=without_errors,
    )
    entries = session.book.entries
    share = entries["graphql-guide-rate"].value(OURS) / entries["graphql-list-rate"].value(OURS)
    session.add(
        "graphql-share", share, "x", "higher", "rate of the guide's query as a share of the REST list's"
    )


def without_errors(answer: Answer) -> int:
    """Return 1 for an answer without errors, else 0: the status is 200 in both cases."""
    return 0 if b'"errors"' in answer.body else 1


def guide_queries(token: str | None) -> Iterator[bytes]:
    """Return requests with the guide's query, without end."""
    return itertools.repeat(request("POST", "/graphql", token=token, body={"query": GUIDE}))


async def fill_listed(session: Session, ids: list[str]) -> None:
    """Give the listed projects a collaborator, and a file that insights have a suggestion for."""
    account = {"email": "reader@example.org", "name": "reader", "password": PASSWORD}
    async with connected(session.port, 1) as (connection,):
        reader = await connection.ask(request("POST", "/api/v1/auth/register", body=account))
        for key in ids:
            path = f"{PROJECTS}/{key}"
            role, file = {"role": "viewer"}, {"content": _SOURCE}
            for below, body in ((f"collaborators/{reader.json()['id']}", role), ("files/pick.py", file)):
                answer = await connection.ask(
                    request("PUT", f"{path}/{below}", token=session.token, body=body)
                )
                if not answer.ok:
                    raise MeasureError(
                        f"{session.name} refused {below}: {answer.status} {answer.body[:300]!r}"
                    )


async def _check(session: Session) -> None:
    """Raise MeasureError where the answer does not hold all that the measure is about."""
    async with connected(session.port, 1) as (connection,):
        answer = await connection.ask(next(guide_queries(session.token)))
    document = answer.json() if answer.ok else {}
    if "errors" in document or len(document.get("data", {}).get("projects", ())) != LISTED:
        raise MeasureError(f"{session.name}: not {LISTED} projects: {answer.status} {answer.body[:300]!r}")
