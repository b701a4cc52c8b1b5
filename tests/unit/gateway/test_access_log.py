"""The access log: which requests have a line, what is in it, and that a flood of them stays small."""

import asyncio
import json
import time

import pytest
import structlog

from read_api.gateway.access_log import ALL, ERRORS, AccessLog


class Caller:
    kind = "account"


def application(status, *, route="/api/v1/projects/{id}", kind="http", fails=False):
    async def app(scope, _receive, send):
        scope["path_template"] = route
        scope.setdefault("state", {}).update(request_id="r-1", caller=Caller())
        if fails:
            raise ConnectionError("the client went")
        if kind == "http":
            await send({"type": "http.response.start", "status": status})
            await send({"type": "http.response.body"})
        else:
            await send({"type": "websocket.close", "code": status})

    return app


def call(app, mode, kind="http", *, headers=(), times=1, clock=time.monotonic):
    """Send a request whose path and query must not be logged; return the lines."""
    log = AccessLog(app, mode, clock)
    scope = {
        "type": kind,
        "method": "GET",
        "path": "/api/v1/projects/ada@example.org",
        "query_string": b"token=secret",
        "headers": list(headers),
    }

    async def nothing(*_arguments):
        return None

    async def run():
        for _ in range(times):
            await log({**scope}, nothing, nothing)

    with structlog.testing.capture_logs() as lines:
        asyncio.run(run())
    return lines


def test_a_line_says_what_was_asked_by_its_route_and_how_it_ended():
    (line,) = call(application(404), ERRORS)
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "/api/v1/projects/{id}",
        "status": 404,
        "caller": "account",
        "request_id": "r-1",
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_refusals_and_faults_have_a_line(status):
    (line,) = call(application(status), ERRORS)
    assert (line["status"], line["log_level"]) == (status, "warning" if status >= 500 else "info")


def test_what_succeeds_has_a_line_only_where_all_have_one():
    assert call(application(200), ERRORS) == []
    assert [line["status"] for line in call(application(200), ALL)] == [200]


@pytest.mark.parametrize(("code", "lines"), [(1000, 0), (4401, 1), (4429, 1)])
def test_sockets_have_a_line_by_their_close_code(code, lines):
    logged = call(application(code, kind="websocket"), ERRORS, "websocket")
    assert [(line["method"], line["status"]) for line in logged] == [("WEBSOCKET", code)] * lines


def test_nothing_of_path_query_and_headers_is_in_it():
    headers = [(b"authorization", b"Bearer abc"), (b"cookie", b"c=1")]
    text = json.dumps(call(application(401, route=None), ALL, headers=headers))
    assert not any(secret in text for secret in ("ada", "secret", "Bearer", "abc", "c=1"))


def test_the_kind_of_a_caller_whom_no_handler_met():
    async def refused(scope, _receive, send):
        await send({"type": "http.response.start", "status": 404})

    (line,) = call(refused, ERRORS)
    assert (line["caller"], line["route"], line["request_id"]) == ("anonymous", None, None)
    (line,) = call(refused, ERRORS, headers=[(b"authorization", b"x")])
    assert line["caller"] == "bearer"


def test_a_client_that_goes_first_is_no_error_and_what_is_raised_goes_on():
    for mode, count in ((ERRORS, 0), (ALL, 1)):
        with structlog.testing.capture_logs() as lines, pytest.raises(ConnectionError):
            asyncio.run(
                AccessLog(application(200, fails=True), mode)({"type": "http", "method": "GET"}, None, None)
            )
        assert [line["status"] for line in lines] == [499] * count


def test_a_flood_of_refusals_is_summed_up():
    now = iter([5.0] * 150 + [6.0])
    lines = call(application(429), ERRORS, times=151, clock=lambda: next(now))
    assert [line["event"] for line in lines].count("request") == 101
    (summary,) = [line for line in lines if line["event"] != "request"]
    assert (summary["count"], summary["statuses"]) == (50, {"429": 50})
