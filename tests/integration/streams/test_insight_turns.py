"""Files are measured by turns: one owner's many files do not delay another's, and none is lost."""

import pytest

from domain.actor import SERVICE
from insights.report import FileReport, FunctionReport, LeftOut, empty_report
from insights.request import Analysis
from projections.insight_turns import BUDGET_SECONDS, Budgets
from projections.insights_model import FILE_INSIGHTS, INSIGHTS, insights_model
from projections.models import READ_MODELS
from projections.queries.insights import InsightQueries
from streams.rebuild import rebuild
from streams.runner import Runner
from tests.integration.streams.conftest import Projections
from tests.support.profile import ADA, BOB


class SlowAnalyser:
    """Every file takes *seconds*, and has one function whose complexity is the number in its text."""

    def __init__(self, seconds=0.6):
        self.seconds = seconds
        self.analysed = []

    def analyse(self, path, content):
        self.analysed.append(path)
        if content == "endless":
            return Analysis(empty_report(content, LeftOut.TOO_SLOW), 1.0)
        function = FunctionReport(name="f", line=1, complexity=int(content), lines=1, parameters=0)
        return Analysis(FileReport(functions=(function,), lines=1, model="m"), self.seconds)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def analyser():
    return SlowAnalyser()


@pytest.fixture
def turns(commands, tmp_path, analyser, clock):
    """A runner that a test drives, over a slow analyser."""
    models = (*READ_MODELS, insights_model(analyser, budgets=Budgets(clock)))
    made = Projections(commands, tmp_path / "read.sqlite", models)
    yield made
    made.close()


def write(commands, project, files, actor=ADA):
    for path, content in files.items():
        commands.do("file.write", actor, target=project, path=path, content=content)


def insights(turns, project):
    return InsightQueries(turns.store).many([project])[project]


def finish(turns):
    while turns.runner._take_turns():
        pass


def test_many_files_of_one_owner_do_not_delay_those_of_another(commands, turns, analyser):
    many, one = commands.project("many"), commands.project("one", BOB)
    write(commands, many, {f"{number}.py": str(number) for number in range(1, 8)})
    write(commands, one, {"a.py": "5"}, BOB)
    turns.catch_up()
    assert analyser.analysed == ["1.py", "a.py", "2.py"], "each owner has one turn, then the rest waits"
    assert (insights(turns, one)["complexity"], insights(turns, one)["insightsPending"]) == (5, False)
    behind = insights(turns, many)
    assert (behind["files"], behind["functions"], behind["insightsPending"]) == (2, 2, True)
    assert turns.progress.sequence(INSIGHTS) == commands.log.tip().sequence
    assert turns.runner._take_turns()
    write(commands, one, {"b.py": "7"}, BOB)
    assert turns.runner._step()
    assert insights(turns, one)["complexity"] == 6, "between two turns of the other owner"
    finish(turns)
    done = insights(turns, many)
    assert (done["files"], done["complexity"], done["insightsPending"]) == (7, 4, False)
    assert len(analyser.analysed) == 7, "a content is measured once, wherever it is"


def test_the_store_is_asked_for_waiting_files_where_some_wait(commands, turns, monkeypatch):
    asked = []
    find = turns.store.find
    monkeypatch.setattr(turns.store, "find", lambda query: asked.append(query.collection) or find(query))
    project = commands.project()
    finish(turns)  # what an earlier process left
    asked.clear()
    write(commands, project, {"1.py": "1"})
    turns.catch_up()
    finish(turns)
    assert asked == [], "nothing was put off"
    write(commands, project, {f"{number}.py": str(number) for number in range(2, 9)})
    turns.catch_up()
    finish(turns)
    assert FILE_INSIGHTS in asked
    asked.clear()
    finish(turns)
    assert asked == [], "nothing waits any more"


def test_files_that_another_process_put_off_are_found_after_a_while(commands, turns, monkeypatch):
    finish(turns)
    asked = []
    find = turns.store.find
    monkeypatch.setattr(turns.store, "find", lambda query: asked.append(query.collection) or find(query))
    monkeypatch.setattr("streams.put_off_work.LOOK_SECONDS", 0.0)
    assert not turns.runner._take_turns()
    assert asked == [FILE_INSIGHTS]


def test_the_result_is_that_of_measuring_at_once(commands, turns, analyser, tmp_path):
    project = commands.project()
    write(commands, project, {f"{number}.py": str(number) for number in range(1, 6)})
    turns.catch_up()
    finish(turns)
    write(commands, project, {f"{number}.py": str(10 + number) for number in range(1, 6)})
    commands.do("file.delete", target=project, path="5.py")
    turns.catch_up()
    write(commands, project, {"4.py": "40"})
    turns.catch_up()
    finish(turns)
    at_once = Projections(
        commands, tmp_path / "other.sqlite", (*READ_MODELS, insights_model(SlowAnalyser(0.0)))
    )
    at_once.catch_up()
    assert turns.dump() == at_once.dump()
    at_once.close()


def test_owners_alternate_in_the_queue(commands, turns, analyser):
    projects = {actor: commands.project(actor.id, actor) for actor in (ADA, BOB)}
    for first, (actor, project) in zip((1, 10), projects.items(), strict=True):
        files = {f"{actor.id[-1]}{number}.py": str(number) for number in range(first, first + 6)}
        write(commands, project, files, actor)
    turns.catch_up()
    analyser.analysed.clear()
    finish(turns)
    owners = [path[0] for path in analyser.analysed]
    assert owners == ["a", "a", "b", "b", "a", "a", "b", "b"]


def test_the_old_measurement_is_shown_until_the_new_one_is_there(commands, turns):
    project = commands.project()
    write(commands, project, {"a.py": "3"})
    turns.catch_up()
    write(commands, project, {"x.py": "8", "y.py": "9", "a.py": "5"})
    turns.catch_up()
    assert turns.store.get(FILE_INSIGHTS, f"{project}/a.py")["complexityTotal"] == 3
    finish(turns)
    assert turns.store.get(FILE_INSIGHTS, f"{project}/a.py")["complexityTotal"] == 5


def test_a_newer_version_or_a_deletion_ends_the_wait(commands, turns, analyser):
    project = commands.project()
    write(commands, project, {"x.py": "1", "y.py": "2", "late.py": "3", "gone.py": "4"})
    turns.catch_up()
    commands.do("file.delete", target=project, path="gone.py")
    write(commands, project, {"late.py": "30"})
    turns.catch_up()
    finish(turns)
    assert "gone.py" not in {document["path"] for document in turns.dump()[FILE_INSIGHTS]}
    assert turns.store.get(FILE_INSIGHTS, f"{project}/late.py")["complexityTotal"] == 30
    assert not insights(turns, project)["insightsPending"]


def test_what_waits_is_there_after_a_restart(commands, turns, analyser):
    project = commands.project()
    write(commands, project, {f"{number}.py": str(number) for number in range(1, 6)})
    turns.catch_up()
    turns.runner.close()
    models = (insights_model(analyser),)
    again = Runner(commands.log, turns.store, models, turns.progress)
    again._load()
    while again._take_turns():
        pass
    assert insights(turns, project)["complexity"] == 3
    again.close()


def test_a_rebuild_takes_turns_as_well(commands, turns, analyser):
    project = commands.project()
    write(commands, project, {f"{number}.py": str(number) for number in range(1, 6)})
    turns.catch_up()
    analyser.analysed.clear()
    rebuild(commands.log, turns.store, turns.models[-1], turns.runner)
    finish(turns)
    assert insights(turns, project)["complexity"] == 3


def test_a_content_that_took_too_long_is_not_tried_again(commands, turns, analyser):
    project, other = commands.project(), commands.project("other", BOB)
    write(commands, project, {"a.py": "endless", "b.py": "endless"})
    write(commands, other, {"c.py": "endless"}, BOB)
    turns.catch_up()
    finish(turns)
    assert len(analyser.analysed) == 1
    told = insights(turns, project)
    assert told["filesLeftOut"] == 2
    assert told["leftOut"] == [{"file": "a.py", "reason": "tooSlow"}, {"file": "b.py", "reason": "tooSlow"}]


def test_who_has_used_up_the_budget_waits_and_the_others_do_not(commands, turns, analyser, clock):
    analyser.seconds = BUDGET_SECONDS
    greedy, modest = commands.project("greedy"), commands.project("modest", BOB)
    write(commands, greedy, {f"{number}.py": str(number) for number in range(1, 4)})
    turns.catch_up()
    assert not turns.runner._take_turns()
    assert turns.runner._put_off.waiting, "it is tried again after a while"
    analyser.seconds = 0.1
    write(commands, modest, {"a.py": "1"}, BOB)
    turns.catch_up()
    assert not insights(turns, modest)["insightsPending"]
    assert insights(turns, greedy)["insightsPending"]
    clock.now += 10 * BUDGET_SECONDS
    finish(turns)
    assert not insights(turns, greedy)["insightsPending"]


def test_what_a_service_writes_counts_for_the_project(commands, turns, analyser):
    many, one = commands.project("many"), commands.project("one")
    write(commands, many, {f"{number}.py": str(number) for number in range(1, 5)}, SERVICE)
    write(commands, one, {"a.py": "5"}, SERVICE)
    turns.catch_up()
    assert not insights(turns, one)["insightsPending"]
    assert insights(turns, many)["insightsPending"]


def test_the_runner_finishes_by_itself(commands, turns):
    project = commands.project()
    write(commands, project, {f"{number}.py": str(number) for number in range(1, 10)})
    touched = []
    turns.runner._touched = touched.append
    turns.runner.start()
    while insights(turns, project)["insightsPending"] or not insights(turns, project)["files"]:
        turns.runner._grown.wait(0.01)
    assert insights(turns, project)["complexity"] == 5
    assert touched[-1] == {project}


def test_the_same_content_is_left_out_where_it_is_vendored(commands, turns, analyser):
    project = commands.project()
    write(commands, project, {"a.py": "5", "vendor/a.py": "5", "z/a.py": "5"})
    turns.catch_up()
    shown = insights(turns, project)
    assert (shown["functions"], shown["filesLeftOut"], analyser.analysed) == (2, 1, ["a.py"])
