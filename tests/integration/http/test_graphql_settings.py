"""What an installation may decide about `/graphql`."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.graphql import RESPONSE, data, open_socket, refused, send
from tests.support.server import Server, serving

QUERY = "query Mine { projects(limit: 1) { id } }"
DIGEST = hashlib.sha256(QUERY.encode()).hexdigest()


@contextmanager
def decided(data: Path, **settings: str) -> Iterator[Server]:
    with serving(data, settings) as server:
        yield server


def test_introspection_off(tmp_path: Path) -> None:
    with (
        decided(tmp_path / "data", CODEPARK_GRAPHQL_INTROSPECTION="off") as server,
        server.client() as client,
    ):
        refused(client, "{ __schema { types { name } } }", 400, "invalid_query")
        refused(client, '{ __type(name: "Project") { name } }', 400, "invalid_query")
        refused(client, "{ _service { sdl } }", 400, "invalid_query")
        assert "mean" not in refused(client, "{ projets { id } }", 400, "invalid_query")["message"]
        assert data(client, "{ __typename projects { id } }") == {"__typename": "Query", "projects": []}


def test_trusted_documents(tmp_path: Path) -> None:
    file = tmp_path / "trusted.json"
    file.write_text(json.dumps({DIGEST: QUERY}))
    settings = {"CODEPARK_GRAPHQL_TRUSTED_DOCUMENTS": str(file)}
    with decided(tmp_path / "data", **settings) as server, server.client() as client:
        assert data(client, QUERY) == {"projects": []}
        body = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": DIGEST}}}
        assert client.post("/graphql", json=body).json() == {"data": {"projects": []}}
        for other in ("{ projects { id } }", QUERY + " "):
            assert send(client, other).status_code == 403
            refused(client, other, 403, "untrusted_document")
        by_get = client.get("/graphql", params={"query": "{ __typename }"}, headers={"Accept": RESPONSE})
        assert by_get.status_code == 403
        with open_socket(server) as socket:
            socket.init()
            socket.subscribe("a", QUERY)
            assert socket.next("a") == {"projects": []}
            assert socket.receive() == {"id": "a", "type": "complete"}
            socket.subscribe("b", "subscription { events { id } }")
            assert socket.receive()["payload"][0]["extensions"]["code"] == "untrusted_document"
