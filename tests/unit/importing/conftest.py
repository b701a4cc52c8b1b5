import os
import subprocess

import pytest
from msgspec.structs import replace

from codepark.history_import.histories import open_history

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+0530",
    "GIT_COMMITTER_DATE": "2026-01-03T00:00:00+0000",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
OPTIONS = (
    "-c",
    "init.defaultBranch=main",
    "-c",
    "user.name=Bob",
    "-c",
    "user.email=bob@example.org",
    "-c",
    "protocol.file.allow=always",
)


class Workspace:
    """A real repository and the git program to work in it."""

    def __init__(self, path, *, new=True):
        self.path = path
        if new:
            path.mkdir()
            self.git("init", "--quiet")

    def git(self, *arguments, stdin=None, **environment):
        """Run git; return its output in bytes."""
        return subprocess.run(
            ["git", *OPTIONS, *arguments],
            cwd=self.path,
            env={**os.environ, **IDENTITY, **environment},
            input=stdin,
            check=True,
            capture_output=True,
        ).stdout

    def commit(self, message="change", *options, **environment):
        """Record everything in the directory; return the commit's id."""
        self.git("add", "--all")
        self.git(
            "commit",
            "--quiet",
            "--allow-empty",
            "--allow-empty-message",
            "-m",
            message,
            *options,
            **environment,
        )
        return self.head()

    def head(self):
        return self.git("rev-parse", "HEAD").decode().strip()

    def write(self, path, content):
        """Write bytes or text under a path of bytes or text."""
        full = self.path / os.fsdecode(path)
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content if isinstance(content, bytes) else content.encode())

    def store(self, kind, data):
        """Store an object as it is, also one that git itself would not write; return its id."""
        stored = self.git("hash-object", "-t", kind, "-w", "--stdin", "--literally", stdin=data)
        return stored.decode().strip()


@pytest.fixture
def repository(tmp_path):
    return Workspace(tmp_path / "shelf")


def _read(path, **options):
    history = open_history(path, **options)
    try:
        commits = [replace(commit, changes=tuple(commit.changes)) for commit in history.commits()]
        assert [(name.sha, name.parents) for name in history.outline()] == [
            (commit.sha, commit.parents) for commit in commits
        ]
        return commits
    finally:
        history.close()


@pytest.fixture
def read():
    """Give the function that reads all commits of a repository."""
    return _read


@pytest.fixture
def eventful(repository):
    """A history with one of everything."""
    repository.write("app/main.py", "print('one')\n")
    repository.write("README", "read me\n")
    repository.write("logo.png", b"\x89PNG\0\xff")
    repository.write(b"caf\xe9/men\xc3\xbc.txt", "latin\n")
    repository.write("tab\there", "control\n")
    repository.commit("first")
    repository.commit("empty")
    repository.git("mv", "app/main.py", "app/program.py")
    repository.commit("rename")
    (repository.path / "app/program.py").chmod(0o755)
    repository.commit("executable")
    repository.git("checkout", "-q", "-b", "side")
    repository.write("side.py", "side = 1\n")
    repository.commit("side")
    repository.git("checkout", "-q", "main")
    repository.write("README", "read me again\n")
    repository.commit("main")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    (repository.path / "link").symlink_to("app/program.py")
    repository.commit("link")
    (repository.path / "README").unlink()
    (repository.path / "README").symlink_to("side.py")
    repository.commit("type change")
    (repository.path / "side.py").unlink()
    repository.write("side.py/inner.py", "")
    repository.commit("file becomes directory")
    (repository.path / "side.py/inner.py").unlink()
    (repository.path / "side.py").rmdir()
    repository.write("side.py", "file\n")
    repository.commit("directory becomes file")
    repository.git("rm", "-r", "-q", "app", "logo.png")
    repository.commit("delete")
    repository.git("rm", "-r", "-q", ".")
    repository.commit("delete all")
    repository.write("again", "again\n")
    repository.commit("again")
    return repository
