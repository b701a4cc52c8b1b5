"""Real histories are imported, also after a kill in the middle, and nothing is imported twice."""

import base64
import json
import lzma
import os
import subprocess
import sys
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from codepark.history_import.histories import open_history
from codepark.history_import.source import SourceCommit
from tests.support.proof import size
from tests.support.server import Server, eventually, serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SHARED = Path(os.environ.get("CODEPARK_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
STARLETTE = SHARED / "history-starlette.jsonl.xz"
needs_starlette = pytest.mark.skipif(
    not STARLETTE.exists(), reason=f"the shared history {STARLETTE} is not here"
)


COMMITS = size(400, 1_347)
"""How many commits are imported where it matters that they are many, and real."""


@pytest.fixture(scope="session")
def history(tmp_path_factory):
    """Return a history of the first commits of starlette."""
    shortened = tmp_path_factory.mktemp("history") / STARLETTE.name
    with lzma.open(STARLETTE) as whole, lzma.open(shortened, "wb") as first:
        first.writelines(islice(whole, COMMITS))
    return shortened


def codepark(*arguments, check=True, **settings):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CODEPARK_")}
    environment = inherited | settings
    command = [sys.executable, "-m", "codepark.cli", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check)


def last_line(finished):
    return json.loads(finished.stdout.splitlines()[-1])


def final_state(source):
    """Return the files that a history ends with, by its own records."""
    files = {}
    for commit in source.commits():
        for change in commit.changes:
            if change.status == "D":
                files.pop(change.path, None)
            else:
                files[change.path] = change.content
    return files


def files_of(client, project):
    """Return the files of a project, as the API shows them."""
    contents, cursor = {}, ""
    while cursor is not None:
        query = {"limit": 100} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/api/v1/projects/{project}/files", params=query).json()
        for file in page["items"]:
            answer = client.get(f"/api/v1/projects/{project}/files/{file['path']}").json()
            contents[file["path"]] = answer["content"]
        cursor = page["nextCursor"]
    return contents


def commits_of(client, project):
    shas, cursor = [], ""
    while cursor is not None:
        query = {"limit": 100, "fields": "sha"} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/api/v1/projects/{project}/commits", params=query).json()
        shas += [commit["sha"] for commit in page["items"]]
        cursor = page["nextCursor"]
    return shas


def event_count(data):
    return len(codepark("events", "export", "--data", data).stdout.splitlines())


@needs_starlette
def test_a_real_history_ends_with_its_own_files(tmp_path):
    data = tmp_path / "data"
    imported = last_line(
        codepark("import-git", STARLETTE, "--data", data, "--project", "starlette", "--public", "--json")
    )
    source = open_history(STARLETTE)
    expected = final_state(source)
    assert (imported["commits"], imported["files"]) == (1_347, len(expected))
    events = event_count(data)
    again = last_line(codepark("import-git", STARLETTE, "--data", data, "--project", "starlette", "--json"))
    assert (again["projectId"], event_count(data)) == (imported["projectId"], events)
    with serving(data) as server, server.client() as client:
        assert files_of(client, imported["projectId"]) == expected
        shas = commits_of(client, imported["projectId"])
        assert shas == [commit.sha for commit in source.commits()][::-1]


@needs_starlette
def test_an_import_that_is_killed_continues(tmp_path, history):
    data = tmp_path / "data"
    command = [
        sys.executable,
        "-m",
        "codepark.cli",
        "import-git",
        str(history),
        "--data",
        str(data),
        "--json",
    ]
    killed = 0
    for written in size((200_000, 600_000, 1_000_000), (300_000, 2_000_000, 4_000_000)):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while process.poll() is None and log_size(data) < written:
                time.sleep(0.002)
            killed += process.poll() is None
        finally:
            process.kill()
            process.wait()
    assert killed >= 2
    imported = last_line(codepark("import-git", history, "--data", data, "--json"))
    assert last_line(codepark("doctor", "--data", data, "--json"))["findings"]
    with serving(data) as server, server.client(server.token()) as client:
        shas = commits_of(client, imported["projectId"])
        assert (len(shas), len(set(shas))) == (COMMITS, COMMITS)
        assert files_of(client, imported["projectId"]) == final_state(open_history(history))
        assert len(client.get("/api/v1/projects", params={"limit": 100}).json()["items"]) == 1


def log_size(data):
    size = 0
    for path in data.glob("log.sqlite*"):
        with suppress(FileNotFoundError):  # a journal may be deleted at any moment
            size += path.stat().st_size
    return size


def git(folder, *arguments, **environment):
    fixed = {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.invalid",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.invalid",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    command = ["git", "-C", str(folder), "-c", "init.defaultBranch=main", *arguments]
    finished = subprocess.run(
        command, env={**os.environ, **fixed, **environment}, check=True, capture_output=True, text=True
    )
    return finished.stdout


@pytest.fixture
def repository(tmp_path):
    """A repository with a merge, a deletion, an empty commit, a binary file and an empty message."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    (folder / "a.py").write_text("def a():\n    return 1\n")
    (folder / "gone.txt").write_text("x")
    (folder / "image.bin").write_bytes(b"\x00\x01\x02")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    git(folder, "checkout", "-b", "side")
    (folder / "side.txt").write_text("side")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "on the side")
    git(folder, "checkout", "main")
    git(folder, "rm", "gone.txt")
    git(folder, "commit", "-m", "delete")
    git(folder, "merge", "--no-ff", "-m", "merge", "side")
    git(folder, "commit", "--allow-empty", "-m", "nothing changes")
    git(folder, "mv", "a.py", "b.py")
    git(folder, "commit", "--allow-empty-message", "-m", "")
    return folder


@pytest.mark.parametrize("way", ["directory", "server"])
def test_a_git_repository_is_imported_either_way(tmp_path, repository, way):
    data = tmp_path / "data"
    if way == "directory":
        imported = last_line(
            codepark("import-git", repository / ".git", "--data", data, "--json", "--public")
        )
    server = Server(data).start()
    try:
        if way == "server":
            target = ("--server", server.url, "--token", server.token(), "--json", "--public")
            imported = last_line(codepark("import-git", repository, *target))
            assert (
                last_line(codepark("import-git", repository, *target))["projectId"] == imported["projectId"]
            )
        with server.client() as client:
            path = f"/api/v1/projects/{imported['projectId']}"
            eventually(lambda: client.get(path).json()["insightsPending"] is False)
            project = client.get(path).json()
            assert project["name"] == "repository"
            assert (
                commits_of(client, project["id"])
                == git(repository, "rev-list", "--first-parent", "main").split()
            )
            files = files_of(client, project["id"])
            assert files == {"b.py": "def a():\n    return 1\n", "image.bin": None, "side.txt": "side"}
            assert project["aiInsights"]["complexity"] == 1
    finally:
        assert server.stop() == 0


def test_a_server_gets_the_same_files_as_a_directory(tmp_path, repository):
    """Also where a text has escapes alone, so that its JSON would be too large for a request."""
    (repository / "escapes").write_text("\x1b" * 3_000_000)
    (repository / os.fsdecode(b"odd\xff")).write_text("x")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "odd")
    expected = {"b.py", "image.bin", "side.txt", "odd%FF"}
    with serving(tmp_path / "data") as server, server.client(server.token()) as client:
        target = ("--server", server.url, "--token", server.token(), "--json")
        imported = [last_line(codepark("import-git", repository, *target)) for _ in range(2)]
        assert imported[0] == imported[1]
        project = imported[0]["projectId"]
        path = f"/api/v1/projects/{project}/files/escapes"
        file = client.get(path).json()
        assert base64.b64decode(file["content"]) == b"\x1b" * 3_000_000
        client.delete(path)
        odd = client.get(f"/api/v1/projects/{project}/files/odd%25FF").json()
        assert odd["content"] == "x"
        listed = client.get(f"/api/v1/projects/{project}/files").json()["items"]
        assert {item["path"] for item in listed} == expected
        changed = codepark("import-git", repository, *target, check=False)
        assert (changed.returncode, "(escapes), because somebody else" in changed.stderr) == (1, True)
        assert last_line(codepark("import-git", repository, *target, "--force"))["files"] == 5
        assert client.get(path).status_code == 200
        client.delete(f"/api/v1/projects/{project}")
        again = last_line(codepark("import-git", repository, *target))
        assert (again["projectId"] != project, again["files"]) == (True, 5)


def test_all_parents_takes_the_merged_commits_too(tmp_path, repository):
    imported = last_line(
        codepark("import-git", repository, "--data", tmp_path / "data", "--json", "--all-parents")
    )
    assert imported["commits"] == len(git(repository, "rev-list", "main").split())


def test_a_held_directory_is_refused_with_a_hint(tmp_path, repository):
    with serving(tmp_path / "data"):
        refused = codepark("import-git", repository, "--data", tmp_path / "data", check=False)
    assert refused.returncode == 1
    assert "--server" in refused.stderr


@pytest.mark.parametrize("name", ["missing", "empty-directory", "text.txt"])
def test_what_is_no_history_is_refused_with_a_sentence(tmp_path, name):
    path = tmp_path / name
    if name == "empty-directory":
        path.mkdir()
    if name == "text.txt":
        path.write_text("hello")
    refused = codepark("import-git", path, "--data", tmp_path / "data", check=False)
    assert refused.returncode == 1
    assert "git repository" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_commit_above_the_limit_of_a_request_is_sent_in_parts(tmp_path):
    from codepark.history_import.commands import PART_BYTES, parts_of
    from codepark.history_import.source import SourceChange

    changes = tuple(SourceChange(path=f"{n}.txt", status="A", content="é" * 1_500_000) for n in range(5))
    commit = SourceCommit(
        sha="ab" * 20,
        parents=(),
        author_name="\x07",
        author_email=None,
        authored_at="2026-01-01T00:00:00+00:00",
        message="m",
        changes=changes,
    )
    parts = list(parts_of(commit))
    assert [part.input.complete for part in parts] == [False] * (len(parts) - 1) + [True]
    assert all(part.size <= PART_BYTES + 1_000 for part in parts)
    assert [change.path for part in parts for change in part.input.changes] == [c.path for c in changes]
    assert parts[0].input.author.name == "unknown"
