import pytest

from codepark.history_import.git.paths import path_text
from codepark.history_import.git.repository import GitHistory
from codepark.history_import.histories import open_history
from codepark.history_import.source import HistoryError, SourceChange


def test_a_commit_has_its_author_time_and_message(read, repository):
    repository.commit("Title\n\nBody\n")
    (commit,) = read(repository.path)
    assert (commit.author_name, commit.author_email) == ("Ada Lovelace", "ada@example.org")
    assert (commit.authored_at, commit.message) == ("2026-01-02T03:04:05+05:30", "Title\n\nBody")
    assert (commit.parents, commit.changes) == ((), ())


def test_an_author_may_have_no_address_and_a_commit_no_message(read, repository):
    repository.commit("", GIT_AUTHOR_EMAIL="")
    (commit,) = read(repository.path)
    assert (commit.author_email, commit.message) == (None, "")


@pytest.mark.parametrize(
    ("header", "text"), [(b"encoding ISO-8859-1\n", "Zoë"), (b"", "Zo�"), (b"encoding nonsense\n", "Zo�")]
)
def test_a_declared_encoding_is_used(read, repository, header, text):
    tree = repository.store("tree", b"").encode()
    who = b"Zo\xeb <z@example.org> 1700000000 +0000"
    data = b"tree %b\nauthor %b\ncommitter %b\n%b\nZo\xeb\n" % (tree, who, who, header)
    repository.git("update-ref", "refs/heads/main", repository.store("commit", data))
    (commit,) = read(repository.path)
    assert (commit.author_name, commit.message) == (text, text)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (b"1313584730 +051800", "2011-08-17T12:38:50+00:00"),
        (b"1313584730 0000", "2011-08-17T12:38:50+00:00"),
        (b"99999999999999 +0100", "1970-01-01T01:00:00+01:00"),
        (b"253402300799 +0100", "9999-12-31T23:59:59+00:00"),
    ],
)
def test_times_that_old_tools_wrote_are_read(read, repository, when, text):
    tree = repository.store("tree", b"").encode()
    line = b"Ada <ada@example.org> " + when
    data = b"tree %b\nauthor %b\ncommitter %b\n\nodd\n" % (tree, line, line)
    repository.git("update-ref", "refs/heads/main", repository.store("commit", data))
    repository.git("repack", "-q", "-a", "-d")
    (commit,) = read(repository.path)
    assert (commit.author_name, commit.author_email, commit.message) == ("Ada", "ada@example.org", "odd")
    assert commit.authored_at == text


def test_a_malformed_commit_is_named(read, repository):
    sha = repository.store("commit", b"author A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nwithout a tree\n")
    (repository.path / ".git/refs/heads/main").write_text(sha + "\n")
    with pytest.raises(HistoryError, match=f"{sha} is malformed"):
        read(repository.path)


def test_a_submodule_has_no_content(read, repository, tmp_path):
    inner = type(repository)(tmp_path / "inner")
    inner.commit("inner")
    repository.git("submodule", "--quiet", "add", str(inner.path), "vendor")
    repository.commit("submodule")
    (commit,) = read(repository.path)
    assert SourceChange(path="vendor", status="A", content=None) in commit.changes


def test_large_files_have_no_content(read, repository):
    repository.write("fits", "a" * (5 * 1024 * 1024))
    repository.write("large", "a" * (5 * 1024 * 1024 + 1))
    repository.commit()
    (commit,) = read(repository.path)
    assert [change.content is None for change in commit.changes] == [False, True]


def test_a_detached_head_is_read(read, eventful):
    eventful.git("checkout", "-q", "--detach", "HEAD~2")
    assert read(eventful.path)[-1].sha == eventful.head()


def test_every_form_of_a_repository_is_the_same_history(read, eventful, tmp_path):
    expected = read(eventful.path)
    eventful.git("clone", "-q", "--bare", ".", str(tmp_path / "copy.git"))
    eventful.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    for path in (eventful.path / ".git", tmp_path / "copy.git", tmp_path / "tree"):
        assert read(path) == expected


@pytest.mark.parametrize(
    ("path", "name"), [("shelf", "shelf"), ("shelf/.git", "shelf"), ("copy.git", "copy")]
)
def test_a_repository_is_called_after_its_directory(repository, tmp_path, path, name):
    repository.commit()
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "copy.git"))
    history = GitHistory(tmp_path / path)
    assert history.name == name
    history.close()


def test_an_empty_repository_says_so(repository):
    with pytest.raises(HistoryError, match="empty repository"):
        open_history(repository.path)


def test_a_missing_object_is_named(read, repository):
    repository.write("a", "a\n")
    repository.commit()
    blob = repository.git("rev-parse", "HEAD:a").decode().strip()
    (repository.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(HistoryError, match=blob):
        read(repository.path)


def test_a_damaged_object_is_an_error(read, repository):
    repository.write("a", "a\n")
    sha = repository.commit()
    blob = repository.git("rev-parse", "HEAD:a").decode().strip()
    path = repository.path / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.write_bytes(b"not deflated")
    with pytest.raises(HistoryError, match=f"{sha} is damaged"):
        read(repository.path)


def test_a_long_history_needs_no_stack(read, repository):
    who = b"A <a@example.org> %d +0000"
    commands = (
        b"commit refs/heads/main\nauthor %b\ncommitter %b\ndata 0\nM 644 inline a\ndata 4\n%04d\n"
        % (who % n, who % n, n)
        for n in range(2000)
    )
    repository.git("fast-import", "--quiet", stdin=b"".join(commands))
    commits = read(repository.path, all_parents=True)
    assert [commit.changes[0].content for commit in commits] == [f"{n:04d}" for n in range(2000)]


def test_reading_twice_gives_the_same(eventful):
    history = GitHistory(eventful.path)
    first, second = ([(c.sha, tuple(c.changes)) for c in history.commits()] for _ in range(2))
    assert first == second
    history.close()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"100%.txt", "100%.txt"),
        (b"\x7f", "%7F"),
        (b"\xc2\x85", "%C2%85"),
        (b"\xff\xc3", "%FF%C3"),
        (b"a b", "a b"),
    ],
)
def test_only_bad_bytes_of_a_path_are_encoded(path, text):
    assert path_text(path) == text
