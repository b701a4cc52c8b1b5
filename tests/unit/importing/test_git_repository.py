import pytest

from codepark.history_import.git.paths import path_text
from codepark.history_import.source import text_of


def git_tree(repository, sha):
    """Return {path: text} of a commit as the git program sees it."""
    tree = {}
    for entry in repository.git("ls-tree", "-r", "-z", sha).split(b"\0")[:-1]:
        facts, _, path = entry.partition(b"\t")
        _, kind, blob = facts.split()
        data = repository.git("cat-file", "blob", blob.decode()) if kind == b"blob" else None
        tree[path_text(path)] = None if data is None else text_of(data)
    return tree


def apply(tree, changes):
    after = dict(tree)
    for change in changes:
        if change.status == "D":
            del after[change.path]
        else:
            assert (change.status == "A") == (change.path not in after)
            after[change.path] = change.content
    return after


def assert_trees_equal(repository, commits):
    """Compare every commit's tree, built from its first parent's and the changes, with git's."""
    trees = {None: {}}
    for commit in commits:
        before = trees[commit.parents[0] if commit.parents else None]
        trees[commit.sha] = apply(before, commit.changes)
        assert trees[commit.sha] == git_tree(repository, commit.sha)


def statuses(commit):
    return [(change.status, change.path) for change in commit.changes]


def test_every_tree_equals_gits(read, eventful):
    assert_trees_equal(eventful, read(eventful.path))


def test_merges_and_the_last_commit_lead_to_gits_trees_with_all_parents(read, eventful):
    files, commits = {}, read(eventful.path, all_parents=True)
    for commit in commits:
        for change in commit.changes:
            if change.status == "D":
                files.pop(change.path, None)
            else:
                files[change.path] = change.content
        if len(commit.parents) > 1 or commit is commits[-1]:
            assert files == git_tree(eventful, commit.sha)


def test_a_packed_repository_reads_the_same(read, eventful):
    before = read(eventful.path)
    eventful.git("gc", "-q")
    eventful.git("commit-graph", "write", "--reachable")
    assert read(eventful.path) == before


def test_the_first_parent_line_is_gits(read, eventful):
    log = eventful.git("log", "--first-parent", "--reverse", "--format=%H").decode().split()
    commits = read(eventful.path)
    assert [commit.sha for commit in commits] == log
    assert [commit.parents for commit in commits] == [(), *((sha,) for sha in log[:-1])]
    assert "side" not in [commit.message for commit in commits]


def test_all_parents_come_before_their_children(read, eventful):
    commits = read(eventful.path, all_parents=True)
    assert {commit.sha for commit in commits} == set(eventful.git("rev-list", "HEAD").decode().split())
    seen = set()
    for commit in commits:
        assert seen.issuperset(commit.parents)
        seen.add(commit.sha)
    (merge,) = (commit for commit in commits if len(commit.parents) > 1)
    assert statuses(merge) == []


@pytest.mark.parametrize("all_parents", [False, True])
def test_commits_that_follow_do_not_change_the_order(read, eventful, all_parents):
    before = read(eventful.path, all_parents=all_parents)
    eventful.git("checkout", "-q", "-b", "other", "HEAD~3")
    eventful.commit("other")
    eventful.git("checkout", "-q", "main")
    eventful.git("merge", "-q", "-m", "second merge", "other")
    after = read(eventful.path, all_parents=all_parents)
    assert after[: len(before)] == before
    assert len(after) == len(before) + (2 if all_parents else 1)


def test_the_statuses_are_gits(read, eventful):
    by_message = {commit.message: statuses(commit) for commit in read(eventful.path)}
    assert {status for status, _ in by_message["first"]} == {"A"}
    assert by_message["empty"] == []
    assert by_message["rename"] == [("D", "app/main.py"), ("A", "app/program.py")]
    assert by_message["executable"] == [("M", "app/program.py")]
    assert by_message["merge"] == [("A", "side.py")]
    assert by_message["type change"] == [("T", "README")]
    assert by_message["file becomes directory"] == [("D", "side.py"), ("A", "side.py/inner.py")]
    assert by_message["directory becomes file"] == [("D", "side.py/inner.py"), ("A", "side.py")]


def test_contents_are_text_or_none(read, eventful):
    by_message = {
        commit.message: {c.path: c.content for c in commit.changes} for commit in read(eventful.path)
    }
    assert by_message["first"]["logo.png"] is None
    assert by_message["executable"] == {"app/program.py": "print('one')\n"}
    assert by_message["link"] == {"link": "app/program.py"}


def test_paths_are_made_sendable(read, eventful):
    paths = [change.path for change in read(eventful.path)[0].changes]
    assert "caf%E9/menü.txt" in paths
    assert "tab%09here" in paths


def test_a_shallow_clone_begins_with_all_its_files(read, eventful, tmp_path):
    eventful.git("reset", "-q", "--hard", "HEAD~3")
    url = f"file://{eventful.path}"
    eventful.git("clone", "-q", "--depth", "2", url, str(tmp_path / "shallow"))
    commits = read(tmp_path / "shallow")
    assert [len(commit.parents) for commit in commits] == [0, 1]
    assert_trees_equal(eventful, commits)
