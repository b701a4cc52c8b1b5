"""The limits of the gateway hold over `/graphql` too."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.http.test_graphql_settings import decided
from tests.support.graphql import open_socket, send
from tests.support.limited import until_refused
from tests.support.server import eventually


def test_operations_and_sockets_are_counted(tmp_path: Path) -> None:
    """Nobody in particular may have five sockets, and ask ten times at once."""
    with (
        decided(tmp_path / "data", CODEPARK_RATE_LIMITS="on") as server,
        server.client() as client,
        ExitStack() as stack,
    ):
        sockets = [stack.enter_context(open_socket(server)) for _ in range(6)]
        for socket in sockets[:5]:
            socket.init()
        with pytest.raises(
            ConnectionClosed
        ):  # before it has said whose it is: it counts for its address until then
            sockets[5].receive()
        closed = sockets[5].connection
        assert (closed.close_code, closed.close_reason) == (4429, "too_many_sockets")
        first, *_, refused = until_refused(lambda: send(client, "{ __typename }"))
        assert first.headers["ratelimit-policy"].startswith('"default"')
        extensions = refused.json()["errors"][0]["extensions"]
        assert (refused.status_code, extensions["code"]) == (429, "rate_limited")
        assert refused.headers["retry-after"] == str(extensions["retryAfter"])

        def refusal():
            """Ask on a socket; what has come back meanwhile is used up so."""
            sockets[0].subscribe("a", "{ __typename }")
            message = sockets[0].receive()
            if message["type"] == "error":
                return message["payload"][0]["extensions"]["code"]
            assert sockets[0].receive() == {"id": "a", "type": "complete"}
            return None

        assert eventually(refusal) == "rate_limited"


def test_an_operation_that_has_ended_no_longer_counts(tmp_path: Path) -> None:
    """Who may have 500 requests under way may send more than that one after the other on a socket."""
    with decided(tmp_path / "data", CODEPARK_RATE_LIMITS="on") as server:
        token = server.token()
        with open_socket(server) as socket, server.client(token) as client:
            socket.init(authorization=token)
            for _ in range(520):
                socket.subscribe("a", "{ __typename }")
                assert socket.next("a") == {"__typename": "Query"}
                assert socket.receive() == {"id": "a", "type": "complete"}
            assert send(client, "{ __typename }").status_code == 200
