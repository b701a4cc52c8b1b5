"""An import: batches, a summary, and the same result however often it is run."""

import pytest

from codepark.history_import import run
from codepark.history_import.run import import_history
from codepark.history_import.sample import SampleHistory
from codepark.history_import.sinks import LocalSink, Project
from codepark.history_import.source import BEGINNING, CommitName, SourceChange, SourceCommit
from domain.actor import SERVICE
from domain.project.events import Visibility
from tests.support.embedded import started


class History:
    """Commits that each change some files."""

    name = "h"

    def __init__(self, *commits):
        self._commits = commits

    def outline(self):
        return [CommitName(commit.sha, commit.parents) for commit in self.commits()]

    def commits(self, continuation=BEGINNING):
        assert continuation is BEGINNING
        parents = ()
        for number, changes in enumerate(self._commits, 1):
            sha = f"{number:040x}"
            yield SourceCommit(
                sha=sha,
                parents=parents,
                author_name="Ada",
                author_email=None,
                authored_at="2026-01-01T00:00:00+00:00",
                message=f"m{number}",
                changes=tuple(
                    SourceChange(path=path, status=status, content=None if status == "D" else "x")
                    for status, path in changes
                ),
            )
            parents = (sha,)


class Sink:
    """Remembers what it is given."""

    def __init__(self):
        self.projects, self.batches = [], []

    def project(self, name, visibility):
        self.projects.append((name, visibility))
        return Project("p", new=True)

    def record(self, project_id, commits):
        assert project_id == "p"
        self.batches.append([commit.message for commit in commits])
        return f"position {len(self.batches)}"


def test_commits_are_recorded_in_batches_in_order(monkeypatch):
    monkeypatch.setattr(run, "_BATCH_COMMANDS", 2)
    sink, steps = Sink(), []
    imported = import_history(
        History(*[[("A", f"f{n}")] for n in range(5)]), sink, "h", advanced=steps.append
    )
    assert sink.batches == [["m1", "m2"], ["m3", "m4"], ["m5"]]
    assert steps == [2, 2, 1]
    assert (imported.project_id, imported.commits, imported.position) == ("p", 5, "position 3")


def test_a_batch_is_not_larger_than_a_request_may_be(monkeypatch):
    monkeypatch.setattr(run, "_BATCH_BYTES", 1_200)
    sink = Sink()
    import_history(History(*[[("A", f"f{n}")] for n in range(4)]), sink, "h")
    assert sink.batches == [["m1", "m2"], ["m3", "m4"]]


@pytest.mark.parametrize(("public", "visibility"), [(True, Visibility.PUBLIC), (False, Visibility.PRIVATE)])
def test_the_project_is_as_visible_as_is_asked(public, visibility):
    sink = Sink()
    import_history(History(), sink, "h", public=public)
    assert sink.projects == [("h", visibility)]


def test_an_empty_history_records_nothing():
    imported = import_history(History(), Sink(), "h")
    assert (imported.commits, imported.files, imported.position) == (0, 0, None)


def test_the_summary_counts_the_files_at_the_end_and_the_paths_that_were_left_out():
    history = History([("A", "a"), ("A", "b"), ("A", "../c")], [("D", "a"), ("M", "b")], [("A", "d")])
    imported = import_history(history, Sink(), "h")
    assert (imported.commits, imported.files, imported.skipped) == (3, 2, 1)


def test_the_sample_is_a_whole_history():
    sample = SampleHistory()
    commits = list(sample.commits())
    assert len(commits) == len(sample.outline()) == 3
    assert [commit.parents for commit in commits] == [(), (commits[0].sha,), (commits[1].sha,)]
    sample.close()


def test_a_second_import_adds_nothing(tmp_path):
    with started(tmp_path / "data") as profile:
        first = import_history(SampleHistory(), LocalSink(profile, SERVICE), "greeter")
        end = profile.log.tip().sequence
        assert import_history(SampleHistory(), LocalSink(profile, SERVICE), "greeter") == first
        assert profile.log.tip().sequence == end
