"""A page whose name was bound to the address of a local server reaches nothing on it."""

import json
import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.server import serving
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration

FOREIGN = "evil.example"
PATHS = ["/", "/api/v1/projects", "/api/v1/events/stream", "/graphql?query={me{id}}", "/metrics", "/nowhere"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    more = {"CODEPARK_PUBLIC_URL": "https://park.example.org"}
    with serving(tmp_path_factory.mktemp("hosts") / "data", more) as running:
        yield running


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_a_foreign_host_is_refused_on_every_path(server, method, path):
    answer = server.raw(
        method, path, b"{}", {"Host": f"{FOREIGN}:{server.port}", "Origin": f"http://{FOREIGN}"}
    )
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["code"]) == (421, "foreign_host")
    assert "CODEPARK_ALLOWED_HOSTS" in problem["detail"]


@pytest.mark.parametrize("path", ["/ws/events", "/graphql"])
def test_a_foreign_host_opens_no_socket(server, path):
    with pytest.raises(InvalidStatus) as refused:
        connect(
            f"ws://{FOREIGN}:{server.port}{path}",
            sock=socket.create_connection(("127.0.0.1", server.port)),
            origin=f"http://{FOREIGN}:{server.port}",
            subprotocols=["graphql-transport-ws"],
            open_timeout=stretched(10),
        )
    assert refused.value.response.status_code == 403


def test_the_public_name_and_probes_by_address_are_answered(server):
    assert server.raw("GET", "/api/v1/projects", headers={"Host": "park.example.org"}).status_code == 200
    assert server.raw("GET", "/health/ready", headers={"Host": "10.1.2.3:3000"}).status_code == 200
    assert server.raw("GET", "/metrics", headers={"Host": "10.1.2.3:3000"}).status_code == 421
