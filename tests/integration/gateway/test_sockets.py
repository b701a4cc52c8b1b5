"""WebSockets: how many at once, and from whose pages."""

import json
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.limited import any_address
from tests.support.server import eventually
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


def open_socket(server, address, **headers):
    url = f"ws://127.0.0.1:{server.port}/ws/events"
    return connect(
        url, additional_headers={"X-Forwarded-For": address, **headers}, open_timeout=stretched(10)
    )


def refusal(socket, seconds=0.3):
    """Return why a socket is closed; None where it is still open after a while."""
    try:
        problem = json.loads(socket.recv(timeout=seconds))["problem"]
    except TimeoutError:
        return None
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=stretched(10))
    return closed.value.rcvd.code, closed.value.rcvd.reason, problem["status"]


def test_the_sixth_of_an_address_is_told_why_and_closed(limited):
    address = any_address()
    with ExitStack() as stack:
        for _ in range(4):
            assert refusal(stack.enter_context(open_socket(limited, address))) is None
        with open_socket(limited, address) as fifth:
            assert refusal(fifth) is None
            with open_socket(limited, address) as sixth:
                assert refusal(sixth, stretched(10)) == (4429, "too_many_sockets", 429)
        with open_socket(limited, any_address()) as other:
            assert refusal(other) is None

        def freed():
            with open_socket(limited, address) as again:
                return refusal(again) is None

        eventually(freed)


def test_a_page_of_a_foreign_origin_opens_none(limited):
    with pytest.raises(InvalidStatus) as refused:
        open_socket(limited, any_address(), Origin="https://evil.example.org")
    assert refused.value.response.status_code == 403
    with open_socket(limited, any_address(), Origin=f"http://127.0.0.1:{limited.port}") as own:
        assert refusal(own) is None
