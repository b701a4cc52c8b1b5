"""`codepark rebuild`, `dead-letters`, `account`, `doctor`, `keys`: over a data directory without a server."""

import sqlite3

import httpx
import pytest

from codepark import operations
from codepark.cli import remote
from codepark.cli.failures import CommandError, UsageError
from codepark.data_directory import DataDirectory
from tests.support.embedded import add_dead_letter, carry_out, create_project, register, started


@pytest.fixture
def project(data):
    """A project with one change in the data directory."""
    with started(data) as profile:
        project = create_project(profile, "engine")
        carry_out(profile, "project.update", target=project, description="turns")
    return project


@pytest.fixture
def account(data):
    with started(data) as profile:
        return register(profile)


class TestRebuild:
    def test_a_read_model_is_rebuilt(self, run, data, project):
        ended = run("rebuild", "projects", "--data", data)
        assert (ended.status, ended.output) == (0, "projects is rebuilt up to event 2\n")
        assert "Rebuilding projects" in ended.errors

    def test_a_script_gets_json(self, run, data, project):
        assert run("rebuild", "projects", "--json", "--data", data).document == {
            "model": "projects",
            "sequence": 2,
        }

    def test_an_unknown_model_is_refused_with_the_names_of_all(self, run, data, installation):
        ended = run("rebuild", "project", "--data", data)
        assert ended.status == 1
        assert "codepark: there is no read model project; there are projects, accounts, files" in ended.errors


class TestDeadLetters:
    def test_there_are_none(self, run, data, installation):
        assert run("dead-letters", "list", "--data", data).output == "there are no dead letters\n"
        assert run("dead-letters", "list", "--data", data, "--json").document == {"items": []}
        assert run("dead-letters", "retry", "--data", data).output == "0 solved, 0 left\n"

    def test_they_are_listed_and_solved(self, run, data, project):
        with started(data) as profile:
            add_dead_letter(profile, project)
        listed = run("dead-letters", "list", "--data", data).output
        assert all(text in listed for text in ("projects", "project.created", "it was broken"))
        (letter,) = run("dead-letters", "list", "--data", data, "--json").document["items"]
        assert (letter["model"], letter["sequence"]) == ("projects", 1)
        assert run("dead-letters", "retry", "--data", data, "--json").document == {"solved": 1, "left": 0}
        assert run("dead-letters", "list", "--data", data).output == "there are no dead letters\n"

    def test_an_event_that_waits_for_another_says_so(self, run, data, installation, monkeypatch):
        waiting = {"model": "m", "stream": "s", "partition": 2, "sequence": 7, "type": "t", "reason": None}
        monkeypatch.setitem(operations.READING, "dead-letters-list", lambda *_: {"items": [waiting]})
        listed = run("dead-letters", "list", "--data", data).output
        assert "2/7" in listed
        assert "waits for the one before it" in listed

    def test_what_cannot_be_solved_ends_with_a_sentence(self, run, data, installation, monkeypatch):
        monkeypatch.setitem(operations.OPERATIONS, "dead-letters-retry", lambda *_: {"solved": 1, "left": 2})
        ended = run("dead-letters", "retry", "--data", data)
        assert (ended.status, ended.output) == (1, "1 solved, 2 left\n")
        assert ended.errors == "codepark: 2 events still cannot be projected\n"


class TestAccounts:
    def test_roles_and_tier_are_set(self, run, data, account):
        ended = run(
            "account", "set", "ada@example.org", "--role", "admin", "--role", "auditor", "--data", data
        )
        assert ended.output == f"account {account} is at version 2\n"
        changed = run("account", "set", "ada@example.org", "--tier", "pro", "--json", "--data", data).document
        assert (changed["accountId"], changed["version"]) == (account, 3)
        events = run("events", "export", "--type", "account.standing_changed", "--data", data).output
        assert '"roles":["admin","auditor"]' in events
        assert '"tier":"pro"' in events

    def test_an_address_counts_as_verified_where_the_operator_says_so(self, run, data):
        with started(data) as profile:
            account = register(profile, verified=False)
        for _ in range(2):
            ended = run("account", "set", "ada@example.org", "--verified", "--data", data)
            assert ended.output == f"account {account} is at version 2\n"
        events = run("events", "export", "--type", "account.address_verified", "--data", data).output
        assert account in events

    def test_an_unknown_address_is_refused(self, run, data, installation):
        ended = run("account", "set", "eve@example.org", "--tier", "pro", "--data", data)
        assert ended.sentence == "there is no account with the address eve@example.org"


class TestDoctor:
    def test_a_sound_installation(self, run, data, project):
        ended = run("doctor", "--data", data)
        assert ended.status == 0
        assert "2 events, the chain holds" in ended.output
        findings = run("doctor", "--json", "--data", data).document["findings"]
        parts = ["data directory", "permissions", "secret key", "event log", "dead letters", "read models"]
        parts.append("analyser")
        assert [finding["part"] for finding in findings] == parts
        assert all(finding["ok"] for finding in findings)

    def test_a_key_that_others_may_read(self, run, data, project):
        (data / "secret.key").chmod(0o644)
        ended = run("doctor", "--json", "--data", data)
        assert ended.status == 1
        wrong = [finding for finding in ended.document["findings"] if not finding["ok"]]
        assert wrong == [
            {"part": "permissions", "ok": False, "detail": "others have rights on secret.key (644)"}
        ]

    def test_an_event_that_was_altered(self, run, data, project):
        with sqlite3.connect(data / "log.sqlite") as log:
            log.execute("UPDATE stored_events SET command = 'another' WHERE rowid = 1")
        ended = run("doctor", "--json", "--data", data)
        wrong = [finding["detail"] for finding in ended.document["findings"] if not finding["ok"]]
        assert wrong == ["record 1 does not fit the chain: it was altered"]

    def test_dead_letters(self, run, data, project):
        with started(data) as profile:
            add_dead_letter(profile, project)
        ended = run("doctor", "--data", data)
        assert (ended.status, "1 events wait" in ended.output) == (1, True)


class TestKeys:
    def test_the_signing_key_is_rotated(self, run, data, installation):
        assert run("keys", "rotate-signing", "--data", data).output == "generation 2 signs in ten minutes\n"
        assert run("keys", "rotate-signing", "--json", "--data", data).document["generation"] == 3

    def test_the_master_key_is_rotated(self, run, data, account):
        line = "version 2 wraps the keys of people; 1 were re-wrapped\n"
        assert run("keys", "rotate-master", "--data", data).output == line
        rotated = run("keys", "rotate-master", "--json", "--data", data).document
        assert rotated == {"version": 3, "wrapped": 1}
        with started(data) as profile:
            assert profile.intake.account_with_email("ada@example.org") == account
            assert profile.queries.accounts.get_own(account)["email"] == "ada@example.org"


class TestOpening:
    def test_a_directory_below_a_file(self, run, tmp_path):
        (tmp_path / "file").touch()
        ended = run("events", "export", "--data", tmp_path / "file" / "data")
        assert "is no data directory" in ended.sentence

    def test_what_only_looks_reads_beside_the_process_that_holds_the_directory(self, run, data, project):
        with started(data) as profile:
            create_project(profile, "beside")
            before = profile.log.tip()
            assert len(run("events", "export", "--data", data).output.splitlines()) == 3
            assert run("events", "tail", "--count", 1, "--data", data).document["data"]["name"] == "beside"
            assert run("dead-letters", "list", "--data", data).output == "there are no dead letters\n"
            assert run("doctor", "--data", data).status == 0
            assert profile.log.tip() == before, "looking is no event"

    def test_a_directory_that_another_process_holds_without_a_server(self, run, data):
        with started(data):
            ended = run("dead-letters", "retry", "--data", data)
        assert ended.sentence == (
            "another process holds the data directory, and no server answers: stop it first"
        )

    def test_a_server_that_does_not_answer(self, run, data):
        with started(data) as profile:
            profile.directory.announce("http://127.0.0.1:1")
            ended = run("dead-letters", "retry", "--data", data)
        assert ended.sentence.startswith("the server at http://127.0.0.1:1 does not answer")

    def test_a_setting_that_cannot_be_used(self, run, data, monkeypatch):
        monkeypatch.setenv("CODEPARK_RATE_LIMITS", "perhaps")
        ended = run("dead-letters", "list", "--data", data)
        assert ended.sentence == "CODEPARK_RATE_LIMITS is 'perhaps'; it takes on or off"

    def test_a_log_that_is_no_log(self, run, data):
        data.mkdir()
        (data / "log.sqlite").write_bytes(b"not a database at all" * 100)
        ended = run("events", "export", "--data", data)
        assert ended.status == 1
        assert "Traceback" not in ended.errors


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (httpx.Response(400, json={"detail": "no such type"}), UsageError, "no such type"),
        (httpx.Response(404, json={"detail": "no such account"}), CommandError, "no such account"),
        (httpx.Response(502, text="<html>a proxy</html>"), CommandError, "the server answered 502"),
        (httpx.Response(500, json=[]), CommandError, "the server answered 500"),
    ],
)
def test_what_a_server_refuses_is_a_sentence_whatever_the_answer_looks_like(answer, kind, text):
    refusal = remote._refused(answer)
    assert (type(refusal), str(refusal)) == (kind, text)


def test_requests_of_one_command_send_one_token(data, installation):
    """A server records the first use of each token: a command of many requests leaves one event."""
    secrets = DataDirectory(data).existing_secrets()
    assert remote._token(secrets, 1) == remote._token(secrets, 1) != remote._token(secrets, 2)
