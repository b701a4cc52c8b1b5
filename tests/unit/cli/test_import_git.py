"""`codepark import-git` without git: a history in the JSONL form."""

import json
import os

import jwt
import pytest

from codepark.cli import demo
from codepark.cli.demo import import_demo
from domain.actor import SERVICE
from tests.support.embedded import started
from tests.unit.importing.conftest import Workspace

COMMITS = [
    {
        "sha": f"{number:040x}",
        "parents": [] if number == 1 else [f"{number - 1:040x}"],
        "author_name": "Ada",
        "authored_at": "2026-01-01T00:00:00+00:00",
        "message": f"commit {number}",
        "files": [{"path": path, "status": "A", "content": "x"} for path in files],
    }
    for number, files in enumerate([["a.txt"], ["b.txt", "../outside"]], 1)
]


@pytest.fixture
def history(tmp_path):
    file = tmp_path / "engine.jsonl"
    file.write_text("".join(json.dumps(commit) + "\n" for commit in COMMITS))
    return file


def test_a_history_becomes_a_project(run, data, history):
    ended = run("import-git", history, "--data", data)
    assert ended.status == 0
    assert ended.output.startswith("2 commits, 2 files, project ")
    assert ended.output.endswith("; 1 paths skipped\n")
    with started(data) as profile:
        project = profile.queries.projects.find_owned(SERVICE.id, "engine")
        assert project["visibility"] == "private"
        assert f"project {project['id']};" in ended.output


def test_a_script_gets_json_and_a_second_run_adds_nothing(run, data, history):
    first = run("import-git", history, "--json", "--data", data).document
    assert (first["commits"], first["files"], first["skipped"]) == (2, 2, 1)
    before = run("events", "export", "--data", data).output
    second = run("import-git", history, "--json", "--data", data).document
    assert second == first
    assert run("events", "export", "--data", data).output == before


def test_the_project_may_have_another_name_and_be_public(run, data, history):
    run("import-git", history, "--project", "other", "--public", "--data", data)
    with started(data) as profile:
        assert profile.queries.projects.find_owned(SERVICE.id, "other")["visibility"] == "public"


def test_a_history_that_is_not_there(run, data, tmp_path):
    ended = run("import-git", tmp_path / "nowhere", "--data", data)
    assert "does not exist; give a git repository" in ended.sentence


def test_a_history_that_cannot_be_read_names_the_line(run, data, history):
    history.write_text(history.read_text() + "{}\n")
    ended = run("import-git", history, "--data", data)
    assert ended.status == 1
    assert f"codepark: {history}, line 3" in ended.errors


def test_a_server_needs_a_token(run, history):
    ended = run("import-git", history, "--server", "http://127.0.0.1:1")
    assert ended.sentence == "--server needs --token: make one with `codepark token`"


def test_a_token_that_is_none(run, history):
    ended = run("import-git", history, "--server", "http://127.0.0.1:1", "--token", "x")
    assert ended.sentence == "this is not an access token: make one with `codepark token`"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nobody.invalid", "127.0.0.1:3000", "http://["])
def test_a_server_that_is_not_there_is_said_at_once(run, history, url):
    token = jwt.encode({"sub": "service:cli"}, "x" * 32)
    ended = run("import-git", history, "--server", url, "--token", token)
    assert ended.status == 1
    assert "--server" in ended.errors.splitlines()[-1] or "no address" in ended.errors.splitlines()[-1]
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("name", [b"dir\xff", b"[red]", b"n" * 200, b"tab\there", b" blank "])
def test_a_file_of_any_name_is_imported(run, data, history, name):
    odd = history.parent / os.fsdecode(name + b".jsonl")
    history.rename(odd)
    ended = run("import-git", odd, "--json", "--data", data)
    assert (ended.status, ended.document["commits"]) == (0, 2)
    assert run("import-git", odd, "--json", "--data", data).document == ended.document


def test_a_directory_of_any_name_is_imported(run, data, tmp_path):
    repository = Workspace(tmp_path / os.fsdecode(b"dir\xff"))
    repository.write(b"dir\xfe/a\xff", "x")
    repository.commit()
    ended = run("import-git", repository.path, "--json", "--data", data)
    assert (ended.status, ended.document["files"]) == (0, 1)


def test_a_changed_history_is_refused_or_forced(run, data, history):
    run("import-git", history, "--data", data)
    changed = [COMMITS[0], {**COMMITS[1], "sha": "ab" * 20, "files": []}]
    history.write_text("".join(json.dumps(commit) + "\n" for commit in changed))
    refused = run("import-git", history, "--data", data)
    assert refused.status == 1
    assert "has the commit 000000000000, which the history does not contain any more" in refused.errors
    forced = run("import-git", history, "--force", "--json", "--data", data)
    assert (forced.status, forced.document["files"]) == (0, 1)
    assert run("import-git", history, "--json", "--data", data).document == forced.document


def test_a_directory_that_is_held_says_how_else(run, data, history):
    with started(data):
        ended = run("import-git", history, "--data", data)
    assert "is held by another process" in ended.sentence
    assert "--server URL --token TOKEN" in ended.sentence


class TestDemonstration:
    def test_a_sample_where_there_is_no_repository(self, data, monkeypatch, tmp_path):
        monkeypatch.setattr(demo, "__file__", str(tmp_path / "a" / "b" / "c.py"))
        with started(data) as profile:
            import_demo(profile)
            first = profile.log.tip().sequence
            import_demo(profile)
            project = profile.queries.projects.find_owned(SERVICE.id, "greeter")
            assert project["visibility"] == "public"
            assert profile.log.tip().sequence == first > 3

    def test_a_checkout_that_cannot_be_read_gives_way_to_the_sample(self, data, monkeypatch, tmp_path):
        (tmp_path / ".git").mkdir()
        monkeypatch.setattr(demo, "__file__", str(tmp_path / "a" / "b" / "c.py"))
        with started(data) as profile:
            import_demo(profile)
            assert profile.queries.projects.find_owned(SERVICE.id, "greeter") is not None

    def test_a_failure_is_logged_and_the_server_serves_on(self, data, monkeypatch, capfd):
        def failing():
            raise demo.HistoryError("there is none")

        monkeypatch.setattr(demo, "_history", failing)
        with started(data) as profile:
            import_demo(profile)
            assert profile.log.tip().sequence == 0
        assert "there is none" in "".join(capfd.readouterr())
