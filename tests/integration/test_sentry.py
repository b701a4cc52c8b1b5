"""Errors, requests and feedback are reported to Sentry, without anything that people sent."""

import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.people import PASSWORD
from tests.support.sentry import SentryServer, sentry_server
from tests.support.server import Server, eventually, free_port
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def sentry():
    with sentry_server() as server:
        yield server


def settings(sentry: SentryServer, **more: str) -> dict[str, str]:
    return {"SENTRY_DSN": sentry.dsn, "SENTRY_ENVIRONMENT": "test", **more}


def register(server: Server, word: str) -> httpx.Client:
    """Return a client that acts for a person whose name and address have *word* in them."""
    email = f"{word}@example.org"
    with server.client() as visitor:
        body = {"email": email, "name": f"n{word}", "password": PASSWORD}
        assert visitor.post("/api/v1/auth/register", json=body).is_success
        login = visitor.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
    client = server.client(login.json()["accessToken"])
    client.headers["User-Agent"] = f"agent {word}"
    return client


def damaged(data: Path, project: str) -> None:
    """Take from a project's document in the store what every answer needs."""
    with closing(sqlite3.connect(data / "read.sqlite")) as connection, connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name.startswith("projects")
        ]
        changed = 0
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            if {"id", "body"} <= set(columns):
                remove = f"UPDATE {table} SET body = json_remove(body, '$.createdAt') WHERE id = ?"  # noqa: S608
                changed += connection.execute(remove, (project,)).rowcount
        assert changed == 1, tables


def test_an_unexpected_error_is_reported_without_what_was_sent(tmp_path, sentry):
    word = uuid4().hex
    server = Server(tmp_path / "data", more=settings(sentry)).start()
    with register(server, word) as client:
        project = client.post("/api/v1/projects", json={"name": f"p{word}"}).json()["id"]
        assert client.get(f"/api/v1/projects/{project}").is_success
        server.stop()
        damaged(server.data, project)
        server.start()
        path = f"/api/v1/projects/{project}?fields=name"
        headers = {"X-Request-Id": word, "Cookie": f"c={word}"}
        assert client.get(path, headers=headers).status_code == httpx.codes.INTERNAL_SERVER_ERROR
        client.get(f"/api/v1/{word}", params={"q": word})  # refused, and no error
    (event,) = eventually(lambda: sentry.of("event"))
    assert server.stop() == 0
    assert (event["level"], event["environment"], event["transaction"]) == (
        "error",
        "test",
        "/api/v1/projects/{project_id:str}",
    )
    assert event["release"].startswith("codepark@")
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("KeyError", "request failed")
    assert exception["stacktrace"]["frames"][-1]["module"].startswith("projections.")
    frames = [set(frame) for each in event["exception"]["values"] for frame in each["stacktrace"]["frames"]]
    assert set().union(*frames) <= {"filename", "function", "module", "lineno", "in_app"}
    unsent = {"user", "request", "breadcrumbs", "extra", "modules", "threads", "message"}
    assert event.keys().isdisjoint(unsent)
    assert not event.get("server_name")
    assert sentry.of("transaction") == []
    for secret in (word, PASSWORD, project, socket.gethostname(), client.headers["Authorization"]):
        assert secret not in sentry.text()


def test_requests_are_reported_by_their_route_where_the_settings_ask_for_it(tmp_path, sentry):
    word = uuid4().hex
    server = Server(tmp_path / "data", more=settings(sentry, SENTRY_TRACES_SAMPLE_RATE="1")).start()
    with register(server, word) as client:
        project = client.post("/api/v1/projects", json={"name": word}).json()["id"]
        client.get(f"/api/v1/projects/{project}", params={"fields": "name"})
        client.get(f"/api/v1/{word}", params={"q": word})
    assert server.stop() == 0
    transactions = sentry.of("transaction")
    names = {each["transaction"] for each in transactions}
    assert {"GET /api/v1/projects/{project_id:str}", "POST /api/v1/auth/login", "GET unmatched"} <= names
    one = next(each for each in transactions if each["transaction"] == "POST /api/v1/projects")
    assert one["contexts"]["trace"]["op"] == "http.server"
    assert 0 <= one["timestamp"] - one["start_timestamp"] < 60 or isinstance(one["timestamp"], str)
    assert sentry.of("event") == []
    for secret in (word, PASSWORD, project):
        assert secret not in sentry.text()


def test_feedback_is_passed_on_once_and_without_its_author(tmp_path, sentry):
    word = uuid4().hex
    server = Server(tmp_path / "data", more=settings(sentry)).start()
    with register(server, word) as client:
        key = {"Idempotency-Key": "k"}
        for _ in range(2):
            body = {"message": "The list is slow.", "requestId": f"r-{word}"}
            assert (
                client.post("/api/v1/feedback", json=body, headers=key).status_code == httpx.codes.NO_CONTENT
            )
        assert client.post("/api/v1/feedback", json={"message": ""}).is_client_error
        command = {"type": "feedback.give", "data": {"message": "In a batch."}}
        assert client.post("/api/v1/commands", json={"commands": [command]}).is_success
        query = 'mutation { giveFeedback(input: {message: "In a graph."}) { version } }'
        assert "errors" not in client.post("/graphql", json={"query": query}).json()
    assert server.stop() == 0
    messages = [item["contexts"]["feedback"] for item in sentry.of("feedback")]
    assert messages == [{"message": text} for text in ("The list is slow.", "In a batch.", "In a graph.")]
    assert word not in sentry.text()


class Silent:
    """A server that takes connections and never answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.dsn = f"http://{'0' * 32}@127.0.0.1:{self.socket.getsockname()[1]}/7"


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "closed"])
def test_a_sentry_that_does_not_answer_delays_nobody(tmp_path, silent):
    there = Silent()
    with there.socket:
        dsn = there.dsn if silent else f"http://{'0' * 32}@127.0.0.1:{free_port()}/7"
        more = {"SENTRY_DSN": dsn, "SENTRY_TRACES_SAMPLE_RATE": "1"}
        server = Server(tmp_path / "data", more=more).start()
        plain = Server(tmp_path / "plain").start()
        with register(server, uuid4().hex) as client:
            for _ in range(150):  # more than wait in the queue
                assert client.get("/api/v1/projects").is_success
            assert client.post("/api/v1/feedback", json={"message": "m"}).is_success
        seconds = []
        for each in (plain, server):
            began = time.monotonic()
            assert each.stop() == 0
            seconds.append(time.monotonic() - began)
        assert seconds[1] - seconds[0] < stretched(2)


PROGRAM = """
import sys
{before}
from codepark.cli.main import main
from codepark.cli import serve
import codepark.server, codepark.workers
print(sorted(name for name in sys.modules if name.partition(".")[0] == "sentry_sdk"))
main(sys.argv[1:])
"""


def run(before: str, tmp_path: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    server = Server(tmp_path / "data")
    command = [sys.executable, "-c", PROGRAM.format(before=before), "serve", "--port", str(server.port)]
    environment = server.variables | variables
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_without_the_extra_the_start_names_it(tmp_path):
    ended = run('sys.modules["sentry_sdk"] = None', tmp_path, SENTRY_DSN="http://key@127.0.0.1:1/7")
    assert ended.returncode == 1
    assert (
        "this needs the extra `telemetry`: install it with pip install 'codepark[telemetry]'" in ended.stderr
    )


def test_a_dsn_that_is_none_is_refused(tmp_path):
    ended = run("", tmp_path, SENTRY_DSN="http://127.0.0.1/")
    assert ended.returncode == 1
    assert ended.stdout == "[]\n", "nothing is imported before it is needed"
    assert "SENTRY_DSN cannot be used" in ended.stderr
