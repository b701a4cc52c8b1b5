"""No N+1: twenty of something cost as many store calls as one."""

import asyncio
import threading

from tests.support.application import application, unlimited

READS = ("get", "get_many", "find", "find_many", "count", "totals", "totals_by")
GUIDE = (
    "query ($n: Int) { projects(limit: $n)"
    " { id name collaborators { id name } aiInsights { complexity suggestions } } }"
)
EVERYTHING = """
query ($n: Int) {
  projects(limit: $n) {
    name owner { name createdAt } collaborators { name account { createdAt } }
    files(first: 2) { nodes { path content encoding } }
    commits(first: 2) { nodes { sha changes { path } } }
    reviews(first: 2) { nodes { title author { createdAt } comments { text author { name } } } }
    builds(first: 2) { nodes { name project { name } } }
    insights { complexity suggestions { reason } }
  }
}
"""
CONNECTION = (
    "query ($n: Int) { projectsConnection(first: $n)"
    " { edges { node { name insights { files } owner { tier } } } } }"
)
ENTITIES = (
    "query ($r: [_Any!]!) { _entities(representations: $r)"
    " { ... on Project { name aiInsights { complexity } } } }"
)


class Calls:
    """Counts the questions to a store that this thread asks, those inside another not."""

    def __init__(self, store):
        self.names = []
        self._thread, self._inside = threading.get_ident(), False
        for name in READS:
            setattr(store, name, self._counting(name, getattr(store, name)))

    def _counting(self, name, read):
        def counted(*args, **options):
            if self._inside or threading.get_ident() != self._thread:
                return read(*args, **options)
            self.names.append(name)
            self._inside = True
            try:
                return read(*args, **options)
            finally:
                self._inside = False

        return counted


async def make_projects(client):
    ids = []
    source = "def f(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12))
    for number in range(20):
        created = await client.post("/api/v1/projects", json={"name": f"p{number}"})
        path = f"/api/v1/projects/{created.json()['id']}"
        ids.append(created.json()["id"])
        commit = {
            "message": "m",
            "author": {"name": "A"},
            "authoredAt": "2024-05-01T10:00:00Z",
            "changes": [{"path": "a.py", "status": "A", "content": source}],
        }
        review = await client.post(f"{path}/reviews", json={"title": "t"})
        for below, body in (
            ("commits", commit),
            ("builds", {}),
            (f"reviews/{review.json()['id']}/comments", {"text": "x"}),
        ):
            assert (await client.post(f"{path}/{below}", json=body)).is_success
    return ids


async def ask(client, query, **variables):
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def test_twenty_cost_as_many_store_calls_as_one(tmp_path):
    async def run():
        async with application(tmp_path, limits=unlimited()) as (parts, client):
            ids = await make_projects(client)
            calls = Calls(parts.store)

            async def cost(query, **variables):
                parts.queries.projects.touch(None)  # nothing is composed: the dearest case
                calls.names.clear()
                data = await ask(client, query, **variables)
                return len(next(iter(data.values()))), list(calls.names)

            for query, most in ((GUIDE, 6), (EVERYTHING, 30), (CONNECTION, 12)):
                one, twenty = await cost(query, n=1), await cost(query, n=20)
                assert one[1] == twenty[1], query
                assert 0 < len(one[1]) <= most
            representations = [{"__typename": "Project", "id": id_} for id_ in ids]
            one, twenty = await cost(ENTITIES, r=representations[:1]), await cost(ENTITIES, r=representations)
            assert (one[0], twenty[0]) == (1, 20)
            assert one[1] == twenty[1]

    asyncio.run(run())
