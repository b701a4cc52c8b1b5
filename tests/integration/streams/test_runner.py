"""G6, G7, G8: the runner, poison events, rebuilds."""

import sqlite3
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.table.commits import AuthorInput, ChangeInput
from domain.errors import NotFoundError
from projections.models import READ_MODELS
from projections.models.projects import MODEL as PROJECTS
from projections.store import StoreUnavailableError
from streams.batch_projection import PoisonError, project
from streams.dead_letters import retry
from streams.rebuild import RebuildCancelledError, rebuild
from tests.integration.streams.conftest import Projections
from tests.support.profile import ADA, Commands
from tests.support.proof import size
from tests.support.time_scale import stretched


def fill(commands, projects=4, files=5):
    """Append events of every kind that a project has."""
    ids = []
    for number in range(projects):
        project = commands.project(f"p{number}", visibility="public")
        ids.append(project)
        for file in range(files):
            commands.do(
                "file.write", target=project, path=f"src/{file}.py", content=f"def f(): return {number}\n"
            )
        commands.do("file.delete", target=project, path="src/0.py")
        commands.do("project.update", target=project, description="changed")
        commands.do(
            "commit.record",
            target=project,
            message="m",
            author=AuthorInput(name="Ada"),
            authored_at="2026-01-01T00:00:00Z",
            changes=(ChangeInput(path="c.py", status="A", content="x = 1\n"),),
        )
        review = commands.do("review.open", target=project, title="t").stream.removeprefix("review-")
        commands.do("review.comment", target=project, review_id=review, text="good")
        commands.do("build.queue", target=project, name="b")
    return ids


def poisonous(model, bad):
    """Return *model* with a projector that fails on the records that *bad* picks."""

    def project(event, record):
        if bad(record):
            raise ValueError("cannot take this")
        return model.project(event, record)

    return replace(model, project=project)


def test_a_rebuild_equals_the_live_model(commands, projections):
    """G6."""
    fill(commands)
    projections.catch_up()
    live = projections.dump()
    for model in projections.models:
        rebuild(commands.log, projections.store, model, projections.runner)
    assert projections.dump() == live


def test_readers_and_writers_continue_during_a_rebuild(commands, projections):
    """G6: readers keep counting projects; the number never falls."""
    fill(commands, projects=6)
    projections.runner.start()
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.append(projections.store.count("projects"))

    def write():
        for number in range(60):
            commands.project(f"later {number}")

    threads = [threading.Thread(target=target) for target in (read, write)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        rebuild(commands.log, projections.store, PROJECTS, projections.runner)
    threads[1].join()
    stop.set()
    threads[0].join()
    projections.runner.close()
    projections.catch_up()
    assert projections.store.count("projects") == 66
    assert seen == sorted(seen)


def test_a_rebuild_stops_on_poison_and_leaves_the_live_model(commands, projections):
    """G8: a rebuild is meant to be whole."""
    ids = fill(commands, projects=2)
    projections.catch_up()
    live = projections.dump()
    bad = poisonous(PROJECTS, lambda record: record.home == ids[1])
    with pytest.raises(PoisonError, match="cannot take this"):
        rebuild(commands.log, projections.store, bad, projections.runner)
    assert projections.dump() == live


def test_a_cancelled_rebuild_leaves_the_live_model(commands, projections):
    fill(commands, projects=1)
    projections.catch_up()
    live, cancelled = projections.dump(), threading.Event()
    cancelled.set()
    with pytest.raises(RebuildCancelledError):
        rebuild(commands.log, projections.store, PROJECTS, projections.runner, cancelled=cancelled)
    assert projections.dump() == live


def test_poison_blocks_its_stream_and_no_other(commands, tmp_path):
    """G8: later events of the stream queue behind it, in order; other streams go on."""
    good, bad = commands.project("good"), commands.project("bad")
    models = (poisonous(PROJECTS, lambda record: record.topic == "project.updated" and record.home == bad),)
    made = Projections(commands, tmp_path / "read.sqlite", models)
    for name in ("a", "b"):
        commands.do("project.update", target=bad, name=name)
        commands.do("project.update", target=good, name=name)
    made.catch_up()
    letters = made.store.dead_letters()
    assert [(letter.sequence, letter.stream) for letter in letters] == [
        (3, f"project-{bad}"),
        (5, f"project-{bad}"),
    ]
    assert "cannot take this" in letters[0].reason
    assert letters[1].reason is None
    assert (made.store.get("projects", good)["name"], made.store.get("projects", bad)["name"]) == ("b", "bad")
    assert made.progress.blocked("projects") == {f"project-{bad}"}
    made.close()


def test_a_retry_that_succeeds_unblocks_the_stream(commands, tmp_path):
    """G8."""
    project = commands.project("first")
    broken = [True]
    models = (poisonous(PROJECTS, lambda record: record.version == 2 and broken[0]),)
    made = Projections(commands, tmp_path / "read.sqlite", models)
    for name in ("second", "third"):
        commands.do("project.update", target=project, name=name)
    made.catch_up()
    assert retry(commands.log, made.store, [made.runner]) == {"solved": 0, "left": 2}
    broken[0] = False
    assert retry(commands.log, made.store, [made.runner]) == {"solved": 2, "left": 0}
    assert made.store.get("projects", project)["name"] == "third"
    commands.do("project.update", target=project, name="fourth")
    made.catch_up()
    assert made.store.get("projects", project)["name"] == "fourth"
    assert (made.store.dead_letters(), made.progress.blocked("projects")) == ([], frozenset())
    made.close()


def test_an_event_that_cannot_be_read_is_poison_for_every_model_that_wants_it(
    commands, projections, tmp_path
):
    """G8: damaged data of one event, whose chain is not looked at here."""
    project = commands.project("p")
    commands.do("project.update", target=project, name="q")
    with sqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE stored_events SET state = x'00ff' WHERE rowid = 2")
    connection.close()
    projections.catch_up()
    letters = projections.store.dead_letters()
    assert {letter.sequence for letter in letters} == {2}
    assert "projects" in {letter.model for letter in letters}
    assert projections.store.get("projects", project)["name"] == "p"


def test_dead_letters_survive_a_restart(commands, tmp_path):
    project = commands.project("first")
    models = (poisonous(PROJECTS, lambda record: record.version == 2),)
    commands.do("project.update", target=project, name="second")
    before = Projections(commands, tmp_path / "read.sqlite", models)
    before.catch_up()
    before.close()
    commands.do("project.update", target=project, name="third")
    after = Projections(commands, tmp_path / "read.sqlite", models)
    after.catch_up()
    assert [letter.sequence for letter in after.store.dead_letters()] == [2, 3]
    after.close()


class Unavailable:
    """A store whose first writes fail."""

    def __init__(self, store, failures):
        self.store, self.failures = store, failures

    def __getattr__(self, name):
        return getattr(self.store, name)

    def apply(self, changes):
        if self.failures:
            self.failures.pop()
            raise StoreUnavailableError("the disk is full")
        self.store.apply(changes)


def test_an_unavailable_store_is_tried_again_and_nothing_is_skipped(commands, tmp_path):
    """G7, G12: an event that is not to blame becomes no dead letter."""
    made = Projections(commands, tmp_path / "read.sqlite")
    made.runner._store = Unavailable(made.store, [1, 1, 1])
    done = threading.Event()
    report = made.progress.report

    def watched(sequences, blocked=None):
        report(sequences, blocked)
        if sequences["projects"] == 3:
            done.set()

    made.progress.report = watched
    made.runner.start()
    for name in "abc":
        commands.project(name)
    assert done.wait(stretched(20))
    assert made.store.count("projects") == 3
    assert made.store.dead_letters() == []
    made.close()


@pytest.mark.parametrize("inline", [True, False])
def test_each_event_is_projected_once_in_order_by_either_thread(commands, tmp_path, inline):
    """G7: the appending thread and the runner's own take turns."""
    seen = []

    def project(event, record):
        seen.append(record.sequence)
        return PROJECTS.project(event, record)

    made = Projections(
        commands, tmp_path / "read.sqlite", (replace(PROJECTS, project=project, topics=None),), inline=inline
    )
    made.runner.start()
    threads = [
        threading.Thread(target=lambda: [commands.project(f"{number}") for number in range(40)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.runner.close()
    made.catch_up()
    assert seen == list(range(1, 161))
    made.close()


@settings(
    max_examples=size(15, 200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stops=st.lists(st.integers(1, 25), max_size=4))
def test_a_runner_that_is_stopped_anywhere_ends_with_the_same_documents(tmp_path_factory, stops):
    """G6, G7: where a process ends between two steps does not matter."""
    path = tmp_path_factory.mktemp("runner")
    commands = Commands(path)
    try:
        once, often = path / "once.sqlite", path / "often.sqlite"
        whole = Projections(commands, once)
        for stop in stops:
            commands.project(f"{stop}", ADA)
            part = Projections(commands, often)
            part.catch_up()
            part.close()
        commands.project("last")
        last = Projections(commands, often)
        last.catch_up()
        whole.catch_up()
        assert last.dump() == whole.dump()
        last.close()
        whole.close()
    finally:
        commands.close()


@pytest.mark.parametrize(("before", "caught_up"), [(10, True), (3, False)])
def test_a_writer_that_is_faster_than_the_projection_waits(
    commands, tmp_path, monkeypatch, before, caught_up
):
    """Far behind, the appending thread catches up; a little behind, it leaves that to the runner's thread."""
    monkeypatch.setattr("streams.runner._FAR_BEHIND", 5)
    made = Projections(commands, tmp_path / "read.sqlite", inline=True)
    for number in range(before):
        commands.project(f"{number}")
    commands.log.on_append(made.runner._appended)  # its own thread is not started
    commands.project("last")
    assert made.runner.position == (before + 1 if caught_up else 0)
    made.close()


def test_a_start_does_not_read_what_was_read_before(commands, tmp_path):
    """Models without writes move on as well: their checkpoints are stored at the end."""
    fill(commands, projects=1)
    before = Projections(commands, tmp_path / "read.sqlite")
    before.catch_up()
    before.close()
    after = Projections(commands, tmp_path / "read.sqlite")
    assert after.runner.position == commands.log.tip().sequence
    after.close()


def test_a_model_that_wants_no_event_of_a_step_is_not_called(commands, projections, monkeypatch):
    """Its checkpoint moves all the same: nothing that it wants has been skipped."""
    called = []

    def noting(model, *arguments, **options):
        called.append(model.name)
        return project(model, *arguments, **options)

    monkeypatch.setattr("streams.runner.project", noting)
    project_id = commands.project("p")
    projections.catch_up()
    called.clear()
    commands.do("file.write", target=project_id, path="a.py", content="x = 1\n")
    projections.catch_up()
    assert called == ["projects", "files", "activity", "business", "insights"]
    tip = commands.log.tip().sequence
    assert projections.runner.position == tip
    assert set(projections.progress.models().values()) == {tip}


def test_models_that_are_added_later_are_filled_from_the_first_event(commands, tmp_path):
    fill(commands, projects=2)
    some = Projections(commands, tmp_path / "read.sqlite", (PROJECTS,))
    some.catch_up()
    some.close()
    every = Projections(commands, tmp_path / "read.sqlite", READ_MODELS)
    every.catch_up()
    assert every.store.count("files") == 10
    assert every.store.count("projects") == 2
    every.close()


def test_an_unknown_model_is_named(tmp_path):
    from codepark.operations import rebuild_model
    from codepark.profiles.embedded import EmbeddedProfile
    from codepark.settings import Settings

    parts = EmbeddedProfile(Settings(data=tmp_path / "data"))
    try:
        with pytest.raises(NotFoundError, match="there is no read model nothing; there are projects"):
            rebuild_model(parts, {"model": "nothing"})
    finally:
        parts.close()
