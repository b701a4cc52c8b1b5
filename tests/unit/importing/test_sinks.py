"""Where imported commands go: this process's bus or a server; both wait for one that is unavailable."""

import hashlib
import json

import httpx
import jwt
import msgspec
import pytest

from codepark.history_import import server_sink, sinks
from codepark.history_import.server_sink import ServerSink
from codepark.history_import.sinks import LocalSink, Project, ProjectFile, project_key
from codepark.history_import.source import FileMark, ImportFailedError
from commands.bus import BusyError
from commands.outcomes import Unavailable
from commands.position import parse_position
from commands.table.commits import AuthorInput, ChangeInput, CommitInput
from domain.actor import SERVICE
from domain.project.events import Visibility
from tests.support.embedded import carry_out, create_project, started

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
    for module in (sinks, server_sink):
        monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
        monkeypatch.setattr(module, "_TRIES", 3)


class TestLocal:
    @pytest.fixture
    def profile(self, tmp_path):
        with started(tmp_path / "data") as profile:
            yield profile

    def test_a_project_is_found_again_by_its_name(self, profile):
        sink = LocalSink(profile, SERVICE)
        project = sink.project("engine", Visibility.PUBLIC)
        assert project.new
        assert sink.project("engine", Visibility.PRIVATE) == Project(project.id, new=False)
        assert profile.queries.projects.get(project.id, SERVICE)["visibility"] == "public"

    def test_a_project_is_created_again_after_it_was_deleted(self, profile):
        sink, ids = LocalSink(profile, SERVICE), []
        for visibility in (Visibility.PUBLIC, Visibility.PRIVATE, Visibility.PUBLIC):
            ids.append(sink.project("engine", visibility).id)
            carry_out(profile, "project.delete", target=ids[-1])
        assert len(set(ids)) == 3

    def test_names_with_one_beginning_have_keys_of_their_own(self):
        assert len({project_key("n" * 150 + end, number) for end in "ab" for number in (0, 1)}) == 4

    def test_the_commits_and_files_of_a_project_are_listed(self, profile, monkeypatch):
        monkeypatch.setattr(sinks, "_PAGE", 2)
        sink = LocalSink(profile, SERVICE)
        project = sink.project("engine", Visibility.PUBLIC).id
        changes = [ChangeInput(path=f"f{n}", status="A", content="x") for n in range(5)]
        commits = [
            msgspec.structs.replace(COMMIT, sha=f"{number:040x}", changes=(change,))
            for number, change in enumerate(changes)
        ]
        position = sink.record(project, commits)
        assert [commit.sha for commit in sink.commits(project)] == [commit.sha for commit in commits]
        digest = hashlib.sha256(b"x").hexdigest()
        assert list(sink.files(project, position)) == [ProjectFile(f"f{n}", 1, digest) for n in range(5)]

    def test_a_project_of_the_same_name_is_taken_for_it(self, profile):
        project = create_project(profile, "engine")
        assert LocalSink(profile, SERVICE).project("engine", Visibility.PUBLIC) == Project(project, new=False)

    def test_the_position_is_after_the_commits(self, profile):
        sink = LocalSink(profile, SERVICE)
        project = sink.project("engine", Visibility.PUBLIC).id
        position = sink.record(project, [COMMIT])
        assert parse_position(position).sequence(0) == profile.log.tip().sequence
        assert profile.queries.commits.get(project, "a" * 40, SERVICE)["message"] == "m"

    def test_a_refusal_fails_the_import(self, profile):
        with pytest.raises(ImportFailedError, match=r"the commit a{40}: there is no such project"):
            LocalSink(profile, SERVICE).record("01900000-0000-7000-8000-000000000000", [COMMIT])

    def test_a_log_that_is_unavailable_is_waited_for(self, profile, monkeypatch):
        sink = LocalSink(profile, SERVICE)
        project, execute, answers = sink.project("e", Visibility.PUBLIC).id, profile.bus.execute_sync, []

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
        content = {"text": body} if isinstance(body, str) else {"json": body}
        return httpx.Response(status, headers=headers[0] if headers else {}, **content)


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
        assert sink.project("engine", Visibility.PUBLIC) == Project("id of engine", new=False)
        first, second = [request.url for request in server.requests]
        assert first.params["owner"] == "service:cli"
        assert second.params["cursor"] == "c2"

    def test_a_project_that_is_missing_is_made_once(self, sink_of):
        sink, server = sink_of(page(), (201, {"id": "new"}))
        assert sink.project("engine", Visibility.PUBLIC) == Project("new", new=True)
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

    def test_a_project_is_created_again_after_it_was_deleted(self, sink_of):
        replayed = {"Idempotency-Replayed": "true", "CodePark-Position": "p1"}
        gone = {"detail": "there is no such project"}
        answers = (
            page(),
            (201, {"id": "old"}, replayed),
            (404, gone),
            (422, gone),
            (404, gone),
            (201, {"id": "new"}),
        )
        sink, server = sink_of(*answers)
        assert sink.project("engine", Visibility.PUBLIC) == Project("new", new=True)
        assert server.requests[2].headers["CodePark-After"] == "p1"
        keys = [request.headers["Idempotency-Key"] for request in server.requests if request.method == "POST"]
        assert keys == [project_key("engine", number) for number in range(4)]

    def test_a_project_of_an_import_that_was_interrupted_is_found(self, sink_of):
        sink, _ = sink_of(
            page(), (201, {"id": "old"}, {"Idempotency-Replayed": "true"}), (200, {"id": "old"})
        )
        assert sink.project("engine", Visibility.PUBLIC) == Project("old", new=False)

    def test_the_commits_and_files_of_a_project_are_listed(self, sink_of):
        commits = [{"sha": sha, "parents": ["a"]} for sha in ("c", "b")]
        files = [{"path": "f", "size": 1, "digest": "d"}, {"path": "g", "size": 2}]
        sink, server = sink_of(
            (200, {}, {"CodePark-Position": "p1"}),
            (200, {"items": commits[:1], "nextCursor": "1"}),
            (200, {"items": commits[1:], "nextCursor": None}),
            (200, {"items": files, "nextCursor": None}),
        )
        assert [commit.sha for commit in sink.commits("p")] == ["b", "c"]
        known, unknown = sink.files("p", "p2")
        assert [file.has(FileMark(1, "d")) for file in (known, unknown)] == [True, False]
        assert not known.has(FileMark(1, "e"))
        assert unknown.has(FileMark(2, "whatever it is"))
        assert [request.headers.get("CodePark-After") for request in server.requests] == [
            None,
            "p1",
            "p1",
            "p2",
        ]

    @pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("timed out")])
    def test_a_server_that_never_answered_is_not_waited_for(self, sink_of, error):
        sink, server = sink_of(error)
        with pytest.raises(ImportFailedError, match=r"no server answers at http://server \(.*\): start it"):
            sink.project("engine", Visibility.PUBLIC)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("answer", [(200, "<html>"), (200, {"hello": 1}), (200, [])])
    def test_a_server_that_is_not_codepark(self, sink_of, answer):
        sink, _ = sink_of(answer)
        with pytest.raises(ImportFailedError, match=r"not CodePark: correct --server"):
            sink.project("engine", Visibility.PUBLIC)

    @pytest.mark.parametrize("url", ["http://[", "http://a:port", "localhost:3000", "ftp://server", ""])
    def test_an_address_that_is_none(self, url):
        with pytest.raises(ImportFailedError, match=r"--server|no address"):
            ServerSink(url, TOKEN).project("engine", Visibility.PUBLIC)

    @pytest.mark.parametrize(
        "answer",
        [httpx.ConnectError("refused"), (503, {}, LATER), (429, {}, LATER), (409, {}, LATER)],
    )
    def test_a_server_that_is_unavailable_is_waited_for(self, sink_of, answer):
        sink, _ = sink_of(page("engine"), answer, (200, {"results": [RESULT]}))
        sink.project("engine", Visibility.PUBLIC)
        assert sink.record("p", [COMMIT]) == "p9"

    def test_the_server_says_how_long_to_wait(self, sink_of, monkeypatch):
        pauses = []
        monkeypatch.setattr(server_sink, "_PAUSE_SECONDS", 1.0)
        monkeypatch.setattr(server_sink.time, "sleep", pauses.append)
        sink, _ = sink_of((429, {}, {"Retry-After": "100"}), (429, {}, {"Retry-After": "0"}), page("engine"))
        sink.project("engine", Visibility.PUBLIC)
        assert pauses == [100.0, 1.0]

    def test_a_command_that_is_unavailable_is_sent_again(self, sink_of):
        sink, server = sink_of((200, {"results": [{"status": "unavailable"}]}), (200, {"results": [RESULT]}))
        assert sink.record("p", [COMMIT]) == "p9"
        assert len(server.requests) == 2

    @pytest.mark.parametrize(
        ("answers", "sentence"),
        [
            ([(503, {}, LATER), *[httpx.ConnectError("refused")] * 2], "the server does not answer: refused"),
            ([(503, {}, LATER)] * 3, "the server was busy for too long"),
            ([(403, {"detail": "not yours"})], "/api/v1/commands answered 403: not yours"),
            ([(409, {"detail": "conflict"})], "/api/v1/commands answered 409: conflict"),
            ([(500, ["odd"])], "/api/v1/commands answered 500"),
            (
                [(200, {"results": [{"status": "refused", "problem": {"detail": "no such project"}}]})],
                "the commit a{40}: no such project",
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
