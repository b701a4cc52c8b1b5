"""Where imported commands go: this process's bus or a server; both wait for one that is unavailable."""

import json

import httpx
import jwt
import pytest

from codepark.history_import import sinks
from codepark.history_import.sinks import LocalSink, ServerSink
from codepark.history_import.source import ImportFailedError
from commands.bus import BusyError
from commands.outcomes import Unavailable
from commands.position import parse_position
from commands.table.commits import AuthorInput, ChangeInput, CommitInput
from domain.actor import SERVICE
from domain.project.events import Visibility
from tests.support.embedded import create_project, started

TOKEN = jwt.encode({"sub": "service:cli"}, "x" * 32)
COMMIT = CommitInput(
    sha="a" * 40,
    message="m",
    author=AuthorInput(name="Ada"),
    authored_at="2026-01-01T00:00:00+00:00",
    changes=(ChangeInput(path="a", status="A", content="x"),),
)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sinks, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sinks, "_TRIES", 3)


class TestLocal:
    @pytest.fixture
    def profile(self, tmp_path):
        with started(tmp_path / "data") as profile:
            yield profile

    def test_a_project_is_found_again_by_its_name(self, profile):
        sink = LocalSink(profile, SERVICE)
        project = sink.project("engine", Visibility.PUBLIC)
        assert sink.project("engine", Visibility.PRIVATE) == project
        assert profile.queries.projects.get(project, SERVICE)["visibility"] == "public"

    def test_a_project_of_the_same_name_is_taken_for_it(self, profile):
        project = create_project(profile, "engine")
        assert LocalSink(profile, SERVICE).project("engine", Visibility.PUBLIC) == project

    def test_the_position_is_after_the_commits(self, profile):
        sink = LocalSink(profile, SERVICE)
        project = sink.project("engine", Visibility.PUBLIC)
        position = sink.record(project, [COMMIT])
        assert parse_position(position).sequence(0) == profile.log.tip().sequence
        assert profile.queries.commits.get(project, "a" * 40, SERVICE)["message"] == "m"

    def test_a_refusal_fails_the_import(self, profile):
        with pytest.raises(ImportFailedError, match="there is no such project"):
            LocalSink(profile, SERVICE).record("01900000-0000-7000-8000-000000000000", [COMMIT])

    def test_a_log_that_is_unavailable_is_waited_for(self, profile, monkeypatch):
        sink = LocalSink(profile, SERVICE)
        project, execute, answers = sink.project("e", Visibility.PUBLIC), profile.bus.execute_sync, []

        def unavailable_once(submissions):
            answers.append(len(submissions))
            if len(answers) == 1:
                return [Unavailable(command_id=s.command_id, reason="no broker") for s in submissions]
            return execute(submissions)

        monkeypatch.setattr(profile.bus, "execute_sync", unavailable_once)
        sink.record(project, [COMMIT])
        assert answers == [1, 1]

    @pytest.mark.parametrize("busy", [True, False])
    def test_one_that_stays_unavailable_fails_the_import(self, profile, monkeypatch, busy):
        def unavailable(submissions):
            if busy:
                raise BusyError("20001 commands are waiting")
            return [Unavailable(command_id=s.command_id, reason="no broker") for s in submissions]

        sink = LocalSink(profile, SERVICE)
        monkeypatch.setattr(profile.bus, "execute_sync", unavailable)
        with pytest.raises(ImportFailedError, match="commands are waiting" if busy else "no broker"):
            sink.record("p", [COMMIT])
        sink.close()


class Answers:
    """A server that gives answers in turn, and remembers the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        return httpx.Response(status, json=body, headers=headers[0] if headers else {})


@pytest.fixture
def sink_of(monkeypatch):
    """Return a sink to a server with these answers."""
    client, opened = httpx.Client, []

    def new(*answers):
        server = Answers(*answers)
        monkeypatch.setattr(
            httpx, "Client", lambda **options: client(transport=httpx.MockTransport(server), **options)
        )
        sink = ServerSink("http://server", TOKEN)
        opened.append(sink)
        return sink, server

    yield new
    for sink in opened:
        sink.close()


def page(*projects, cursor=None):
    items = [{"id": f"id of {name}", "name": name} for name in projects]
    return 200, {"items": items, "nextCursor": cursor}


RESULT = {"status": "accepted", "position": "p9"}
LATER = {"Retry-After": "1"}


class TestServer:
    def test_a_project_is_looked_for_on_every_page(self, sink_of):
        sink, server = sink_of(page("a", "b", cursor="c2"), page("engine"))
        assert sink.project("engine", Visibility.PUBLIC) == "id of engine"
        first, second = [request.url for request in server.requests]
        assert first.params["owner"] == "service:cli"
        assert second.params["cursor"] == "c2"

    def test_a_project_that_is_missing_is_made_once(self, sink_of):
        sink, server = sink_of(page(), (201, {"id": "new"}))
        assert sink.project("engine", Visibility.PUBLIC) == "new"
        made = server.requests[1]
        assert json.loads(made.content) == {"name": "engine", "visibility": "public"}
        assert made.headers["Idempotency-Key"] == "import-git:" + b"engine".hex()
        assert made.headers["Authorization"] == f"Bearer {TOKEN}"

    def test_commits_are_a_batch_of_commands(self, sink_of):
        sink, server = sink_of((200, {"results": [RESULT]}))
        assert sink.record("p", [COMMIT]) == "p9"
        (command,) = json.loads(server.requests[0].content)["commands"]
        assert (command["type"], command["target"]) == ("commit.record", "p")
        assert command["data"]["authoredAt"] == COMMIT.authored_at

    @pytest.mark.parametrize(
        "answer",
        [httpx.ConnectError("refused"), (503, {}, LATER), (429, {}, LATER), (409, {}, LATER)],
    )
    def test_a_server_that_is_unavailable_is_waited_for(self, sink_of, answer):
        sink, _ = sink_of(answer, (200, {"results": [RESULT]}))
        assert sink.record("p", [COMMIT]) == "p9"

    def test_a_command_that_is_unavailable_is_sent_again(self, sink_of):
        sink, server = sink_of((200, {"results": [{"status": "unavailable"}]}), (200, {"results": [RESULT]}))
        assert sink.record("p", [COMMIT]) == "p9"
        assert len(server.requests) == 2

    @pytest.mark.parametrize(
        ("answers", "sentence"),
        [
            ([httpx.ConnectError("refused")] * 3, "the server does not answer: refused"),
            ([(503, {}, LATER)] * 3, "the server was busy for too long"),
            ([(403, {"detail": "not yours"})], "/api/v1/commands answered 403: not yours"),
            ([(409, {"detail": "conflict"})], "/api/v1/commands answered 409: conflict"),
            ([(500, ["odd"])], "/api/v1/commands answered 500"),
            (
                [(200, {"results": [{"status": "refused", "problem": {"detail": "no such project"}}]})],
                "no such project",
            ),
        ],
    )
    def test_what_cannot_be_mended_fails_the_import(self, sink_of, answers, sentence):
        sink, _ = sink_of(*answers)
        with pytest.raises(ImportFailedError, match=sentence):
            sink.record("p", [COMMIT])

    @pytest.mark.parametrize("token", ["", "abc", jwt.encode({}, "x" * 32)])
    def test_a_token_that_is_none(self, token):
        with pytest.raises(ImportFailedError, match="this is not an access token"):
            ServerSink("http://server", token)
