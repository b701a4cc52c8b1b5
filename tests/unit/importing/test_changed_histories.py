"""Imports into a project that has commits: of a history that grew, and of one that changed."""

import json

import pytest

from codepark.history_import.histories import open_history
from codepark.history_import.run import import_history
from codepark.history_import.sinks import LocalSink
from codepark.history_import.source import ImportFailedError
from domain.actor import SERVICE
from tests.support.embedded import carry_out, create_project, started
from tests.unit.importing.conftest import Workspace
from tests.unit.importing.test_every_repository import assert_imported, files_of_project


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    with started(tmp_path_factory.mktemp("application") / "data") as profile:
        yield profile


@pytest.fixture
def into(profile, request):
    """Import a history into the project of this test."""

    def run(path, *, name=request.node.name, all_parents=False, **options):
        source = open_history(path, all_parents=all_parents)
        try:
            return import_history(source, LocalSink(profile, SERVICE), name[:100], **options)
        finally:
            source.close()

    return run


@pytest.fixture
def grown(repository):
    """Five commits."""
    for number in range(5):
        repository.write("a", f"{number}\n")
        repository.write(f"f{number}", f"{number}\n")
        repository.commit(f"c{number}")
    return repository


def commits_of(profile, project_id):
    """Return the commits of the project, oldest first."""
    return LocalSink(profile, SERVICE).commits(project_id)


def reset_and_commit(repository):
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.write("new", "new\n")
    repository.commit("another")


def amend(repository):
    repository.git("mv", "f4", "renamed")
    repository.git("commit", "-q", "--amend", "-m", "amended")


def step_back(repository):
    repository.git("reset", "-q", "--hard", "HEAD~2")


def rewrite_all(repository):
    repository.git("filter-branch", "-f", "--msg-filter", "cat; echo more", FILTER_BRANCH_SQUELCH_WARNING="1")


def rebase_onto_another(repository):
    repository.git("checkout", "-q", "-b", "other", "HEAD~3")
    repository.write("other", "other\n")
    repository.commit("other")
    repository.git("cherry-pick", "-X", "theirs", "main")
    repository.git("update-ref", "refs/heads/main", "HEAD")


@pytest.mark.parametrize("all_parents", [False, True])
@pytest.mark.parametrize("change", [reset_and_commit, amend, step_back, rewrite_all, rebase_onto_another])
def test_a_rewritten_history_is_refused_or_forced(profile, into, grown, change, all_parents):
    imported = into(grown.path, all_parents=all_parents)
    end = profile.log.tip().sequence
    change(grown)
    with pytest.raises(ImportFailedError, match=r"the project .* --project"):
        into(grown.path, all_parents=all_parents)
    assert profile.log.tip().sequence == end
    into(grown.path, all_parents=all_parents, force=True, chosen=True)
    assert len(commits_of(profile, imported.project_id)) == 6
    assert_git_files(profile, imported.project_id, grown)
    end = profile.log.tip().sequence
    into(grown.path, all_parents=all_parents)
    assert profile.log.tip().sequence == end
    grown.write("after", "after\n")
    grown.commit("after")
    into(grown.path, all_parents=all_parents)
    assert commits_of(profile, imported.project_id)[-1].sha == grown.head()
    assert_git_files(profile, imported.project_id, grown)


def assert_git_files(profile, project_id, repository):
    names = repository.git("ls-tree", "-r", "-z", "--name-only", "HEAD").decode().split("\0")[:-1]
    expected = {name: repository.git("show", f"HEAD:{name}").decode() for name in names}
    assert files_of_project(profile, project_id) == expected


@pytest.mark.parametrize("all_parents", [False, True])
def test_a_deepened_history_is_refused(profile, into, grown, tmp_path, all_parents):
    grown.git("clone", "-q", "--depth", "2", f"file://{grown.path}", str(tmp_path / "shallow"))
    imported = into(tmp_path / "shallow", all_parents=all_parents)
    shallow = Workspace(tmp_path / "shallow", new=False)
    shallow.git("fetch", "-q", "--unshallow")
    with pytest.raises(ImportFailedError, match=r"lacks the commit .* --force"):
        into(shallow.path, all_parents=all_parents)
    into(shallow.path, all_parents=all_parents, force=True)
    assert_git_files(profile, imported.project_id, grown)
    assert len(commits_of(profile, imported.project_id)) == 3
    into(shallow.path, all_parents=all_parents)
    assert len(commits_of(profile, imported.project_id)) == 3


def test_a_shallow_clone_that_follows_is_taken(profile, into, grown, tmp_path):
    imported = into(grown.path)
    grown.write("a", "later\n")
    grown.commit("later")
    grown.git("clone", "-q", "--depth", "3", f"file://{grown.path}", str(tmp_path / "shallow"))
    into(tmp_path / "shallow")
    assert len(commits_of(profile, imported.project_id)) == 6
    assert_git_files(profile, imported.project_id, grown)


@pytest.mark.parametrize("all_parents", [False, True])
def test_a_branch_that_was_merged_into_another_one(profile, into, grown, all_parents):
    """Its last commit is then a second parent: only with all parents are its commits still there."""
    imported = into(grown.path, all_parents=all_parents)
    grown.git("checkout", "-q", "-b", "other", "HEAD~2")
    grown.write("other", "other\n")
    grown.commit("other")
    grown.git("merge", "-q", "-m", "merge", "main")
    grown.git("update-ref", "refs/heads/main", "HEAD")
    if not all_parents:
        with pytest.raises(ImportFailedError, match="has the commit"):
            into(grown.path)
        return
    for _ in range(2):
        into(grown.path, all_parents=True)
        assert len(commits_of(profile, imported.project_id)) == 7
        assert_git_files(profile, imported.project_id, grown)


def test_first_parents_are_not_completed_by_all_parents(into, grown):
    grown.git("checkout", "-q", "-b", "side")
    grown.commit("side")
    grown.git("checkout", "-q", "main")
    grown.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    into(grown.path)
    with pytest.raises(ImportFailedError, match="lacks the commit"):
        into(grown.path, all_parents=True)


def test_an_import_that_stopped_between_merged_commits_continues(profile, into, grown, monkeypatch):
    grown.git("checkout", "-q", "-b", "side", "HEAD~2")
    for number in range(3):
        grown.write("side", f"{number}\n")
        grown.commit(f"side {number}")
    grown.git("checkout", "-q", "main")
    grown.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    monkeypatch.setattr("codepark.history_import.run._BATCH_COMMANDS", 1)
    sent = []

    def stop(count):
        sent.append(count)
        if len(sent) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        into(grown.path, all_parents=True, advanced=stop)
    imported = into(grown.path, all_parents=True)
    assert len(commits_of(profile, imported.project_id)) == 9
    assert_git_files(profile, imported.project_id, grown)


class TestOtherHistories:
    def test_two_histories_of_one_name_do_not_meet(self, profile, into, tmp_path):
        for folder, file in (("A", "f"), ("B", "a")):
            (tmp_path / folder).mkdir()
            repository = Workspace(tmp_path / folder / "app")
            repository.write(file, f"{folder}\n")
            repository.commit(folder)
        imported = into(tmp_path / "A/app", name="app")
        for options in ({}, {"force": True}):
            with pytest.raises(ImportFailedError, match=r"no commit in common: .* --project NAME"):
                into(tmp_path / "B/app", name="app", **options)
        assert files_of_project(profile, imported.project_id) == {"f": "A\n"}
        other = into(tmp_path / "B/app", name="other app", chosen=True)
        assert files_of_project(profile, other.project_id) == {"a": "B\n"}
        into(tmp_path / "B/app", name="app", chosen=True, force=True)
        assert files_of_project(profile, imported.project_id) == {"a": "B\n"}

    def test_files_that_nobody_imported_are_not_mixed_with_a_history(self, profile, into, grown):
        project = create_project(profile, "by hand")
        carry_out(profile, "file.write", target=project, path="hand", content="x\n")
        with pytest.raises(ImportFailedError, match="has files that no import has recorded"):
            into(grown.path, name="by hand")
        assert files_of_project(profile, project) == {"hand": "x\n"}
        into(grown.path, name="by hand", chosen=True, force=True)
        assert_git_files(profile, project, grown)
        into(grown.path, name="by hand")

    @pytest.mark.parametrize(("path", "content"), [("a", "5\n"), ("more", "x\n"), ("f1", None)])
    def test_what_others_have_written_is_noticed(self, profile, into, grown, path, content):
        imported = into(grown.path)
        fields = {"path": path} if path == "f1" else {"path": path, "content": content}
        type_name = "file.delete" if path == "f1" else "file.write"
        carry_out(profile, type_name, target=imported.project_id, **fields)
        with pytest.raises(ImportFailedError, match=f"has other files than the history \\({path}\\)"):
            into(grown.path)
        into(grown.path, force=True)
        assert_git_files(profile, imported.project_id, grown)
        assert into(grown.path).files == imported.files

    def test_a_deleted_project_is_imported_again(self, profile, into, grown):
        ids = set()
        for public in (False, True, False):
            imported = into(grown.path, name="redo", public=public)
            ids.add(imported.project_id)
            assert_git_files(profile, imported.project_id, grown)
            carry_out(profile, "project.delete", target=imported.project_id)
        assert len(ids) == 3


class TestLines:
    """The same of the JSONL form."""

    @pytest.fixture
    def write(self, tmp_path):
        def write(*records):
            path = tmp_path / "history.jsonl"
            path.write_text("".join(json.dumps(record) + "\n" for record in records))
            return path

        return write

    @staticmethod
    def line(number, status="M", path="a", parent=None, content="x"):
        return {
            "sha": f"{number:04x}",
            "parents": [] if parent is None else [f"{parent:04x}"],
            "author_name": "Ada",
            "authored_at": "2026-01-01T00:00:00Z",
            "message": f"m{number}",
            "files": [{"path": path, "status": status, "content": content}],
        }

    def test_more_lines_are_added(self, profile, into, write):
        lines = [self.line(n, path=f"f{n}", parent=n - 1 or None) for n in range(1, 6)]
        imported = into(write(*lines[:3]))
        into(write(*lines))
        assert len(files_of_project(profile, imported.project_id)) == 5

    def test_a_file_with_the_commits_that_follow_is_added(self, profile, into, write):
        imported = into(write(self.line(1, path="f1")))
        into(write(self.line(2, path="f1", status="D", parent=1)), force=True)
        assert len(commits_of(profile, imported.project_id)) == 2

    @pytest.mark.parametrize("force", [False, True])
    def test_a_file_with_the_commits_that_follow_leaves_other_files(self, profile, into, write, force):
        first, second = self.line(1, path="f1"), self.line(2, path="f2", parent=1)
        imported = into(write(first, second))
        later = [self.line(3, path="f2", status="D", parent=2), self.line(4, path="f3", parent=3)]
        for lines in (later[:1], later, later):
            into(write(*lines), force=force)
        assert files_of_project(profile, imported.project_id) == {"f1": "x", "f3": "x"}
        assert len(commits_of(profile, imported.project_id)) == 4
        carry_out(profile, "file.write", target=imported.project_id, path="f3", content="y")
        with pytest.raises(ImportFailedError, match=r"other files than the history \(f3\)"):
            into(write(*later))

    def test_other_lines_are_refused_or_forced(self, profile, into, write):
        imported = into(write(self.line(1), self.line(2, path="b", parent=1)))
        other = write(self.line(1), self.line(3, path="c", parent=1, content="c"))
        with pytest.raises(ImportFailedError, match="has the commit 0002"):
            into(other)
        into(other, force=True)
        assert files_of_project(profile, imported.project_id) == {"a": "x", "c": "c"}
        into(other)


def test_all_of_a_grown_history(profile, grown):
    assert_imported(profile, grown.path, "grown")
    grown.git("checkout", "-q", "-b", "f", "HEAD~2")
    grown.write("f", "f\n")
    grown.commit("f")
    grown.git("checkout", "-q", "main")
    grown.git("merge", "-q", "--no-ff", "-m", "merge", "f")
    assert_imported(profile, grown.path, "grown")
