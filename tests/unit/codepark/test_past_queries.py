"""The past of a project equals what a replay of its whole history gives, at every moment of it."""

import random
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from codepark.past import moment
from domain.actor import ANONYMOUS, SERVICE
from domain.errors import NotFoundError
from projections.past import index
from projections.queries.page import PageRequest
from read_api.past_answers import Work, WorkEndedError
from tests.support.embedded import carry_out, create_project, register, settled, started
from tests.support.replay import replayed

REVIEWER = replace(SERVICE, id="service:reviewer")
TANGLED = "def pick(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(14))


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    with started(tmp_path_factory.mktemp("past") / "data") as profile:
        yield profile


def answer(ask):
    """Return what a question is answered with, also where that is a refusal."""
    try:
        return ask()
    except NotFoundError as error:
        return error.code


def pages(page_after):
    """Return all items of a list, page by page."""
    items, cursor = [], None
    while True:
        page = page_after(PageRequest(limit=3, cursor=cursor))
        items.append(page.items)
        if page.next_cursor is None:
            return items
        cursor = page.next_cursor


def all_answers(queries, project_id, ids):
    """Return what every query of a project answers."""
    lists = {
        "files": lambda page: queries.files.page(project_id, "", page, SERVICE),
        "files below src": lambda page: queries.files.page(project_id, "src/", page, SERVICE),
        "commits": lambda page: queries.commits.page(project_id, None, page, SERVICE),
        "commits of a path": lambda page: queries.commits.page(project_id, "src/a.py", page, SERVICE),
        "reviews": lambda page: queries.reviews.page(project_id, page, SERVICE),
        "builds": lambda page: queries.builds.page(project_id, page, SERVICE),
    }
    answers = {name: answer(lambda list_=list_: pages(list_)) for name, list_ in lists.items()}
    answers["project"] = answer(lambda: queries.projects.get(project_id, SERVICE))
    answers["seen by anybody"] = answer(lambda: queries.projects.get(project_id, ANONYMOUS)["name"])
    answers["insights"] = answer(lambda: queries.insights.get(project_id, SERVICE))
    for kind, id_ in ids:
        one = getattr(queries, kind)
        answers[f"{kind} {id_}"] = answer(lambda one=one, id_=id_: one.get(project_id, id_, SERVICE))
    return answers


def compare(profile, project_id, ids, sequences):
    for sequence in sequences:
        work = Work()
        past = all_answers(profile.past.queries(project_id, sequence, work), project_id, ids)
        assert past == all_answers(replayed(profile, project_id, sequence), project_id, ids), sequence
        assert work.insights_pending is False


def commit(profile, project_id, number, *changes, authored_at="2020-01-01T00:00:00Z"):
    sha = f"{number:040x}"
    carry_out(
        profile,
        "commit.record",
        target=project_id,
        sha=sha,
        message=f"commit {number}",
        author={"name": "Ada", "email": "ada@example.org"},
        authoredAt=authored_at,
        parents=(),
        changes=tuple(changes),
    )
    return sha


def change(path, content, status="A"):
    return (
        {"path": path, "status": status}
        if content is None
        else {"path": path, "status": status, "content": content}
    )


def test_every_answer_of_a_past_is_that_of_a_replay(profile):
    ada = register(profile)
    project_id = create_project(profile, "engine", visibility="public")
    other = create_project(profile, "another")

    def do(type_name, **fields):
        return carry_out(profile, type_name, target=project_id, **fields)

    ids = [("files", "src/a.py"), ("files", "b"), ("files", "never"), ("commits", f"{1:040x}")]
    do("file.write", path="src/a.py", content="x = 1\n")
    do("collaborator.set", accountId=ada, role="viewer")
    carry_out(profile, "file.write", target=other, path="src/a.py", content="of another project")
    review = do("review.open", title="First", description="look").stream.removeprefix("review-")
    build = do("build.queue", name="tests").stream.removeprefix("build-")
    ids += [("reviews", review), ("builds", build)]
    do("file.write", path="src/a.py", content=TANGLED)
    settled(profile)
    (suggestion,) = profile.queries.insights.get(project_id, SERVICE)["suggestions"]
    do("review.comment", reviewId=review, text="hm")
    do("build.move", buildId=build, status="running")
    do("suggestion.accept", suggestionId=suggestion["id"])
    do("project.update", name="machine", visibility="private")
    decision = {"reviewId": review, "decision": "approved", "text": "good"}
    carry_out(profile, "review.decide", target=project_id, actor=REVIEWER, **decision)
    commit(profile, project_id, 1, change("src/a.py", "y = 2\n", "M"), change("b", "2"), change("src/c", "3"))
    do("suggestion.dismiss", suggestionId=suggestion["id"])
    do("build.move", buildId=build, status="passed")
    do("collaborator.set", accountId=ada, role="maintainer")
    do("file.delete", path="b")
    do("review.comment", reviewId=review, text="hm again")
    second = do("review.open", title="Second").stream.removeprefix("review-")
    do("review.close", reviewId=review)
    commit(profile, project_id, 2, change("b", None, "D"), change("src/a.py", TANGLED, "M"))
    do("project.update", name="engine again", visibility="public")
    do("collaborator.remove", accountId=ada)
    ids += [("reviews", second), ("commits", f"{2:040x}")]
    compare(profile, project_id, ids, range(settled(profile) + 1))


def test_a_long_history_with_many_epochs_and_snapshots_is_that_of_a_replay(profile, monkeypatch):
    monkeypatch.setattr(index, "_EPOCH_CHANGES", 7)
    monkeypatch.setattr(moment, "_SNAPSHOT_EVERY", 3)
    dice = random.Random(7)
    project_id = create_project(profile, "long")
    for number in range(150):
        path = f"src/{dice.choice('abcdef')}.py" if dice.random() < 0.5 else dice.choice("uvwxyz")
        with suppress(NotFoundError):
            if dice.random() < 0.25:
                carry_out(profile, "file.delete", target=project_id, path=path)
            elif dice.random() < 0.2:
                carry_out(profile, "project.update", target=project_id, name=f"name {number}")
            else:
                carry_out(profile, "file.write", target=project_id, path=path, content=f"x = {number}\n")
    last = settled(profile)
    sequences = [dice.randrange(last - 150, last + 1) for _ in range(25)]
    compare(profile, project_id, [("files", "src/a.py"), ("files", "u")], [*sequences, last])


def counted(monkeypatch, log):
    """Count the events that are decoded and the records that are read."""
    decoded = []
    original = log.event
    monkeypatch.setattr(log, "event", lambda record: decoded.append(record.sequence) or original(record))
    return decoded


def test_the_state_near_the_end_of_a_long_history_reads_few_events(profile, monkeypatch):
    project_id = create_project(profile, "counted", visibility="public")
    for number in range(300):
        carry_out(profile, "file.write", target=project_id, path=f"f{number % 10}", content=f"{number}")
        carry_out(profile, "project.update", target=project_id, name=f"name {number}")
    last = settled(profile)
    profile.past.queries(project_id, last - 4, Work()).projects.get(project_id, SERVICE)  # makes the index
    decoded = counted(monkeypatch, profile.log)
    past = profile.past.queries(project_id, last - 3, Work())
    assert past.projects.get_bare(project_id, SERVICE)["name"] == "name 297"
    assert past.files.get(project_id, "f3", SERVICE)["content"] == "293"
    assert len(past.files.page(project_id, "", PageRequest(), SERVICE).items) == 10
    assert len(decoded) <= moment._SNAPSHOT_EVERY + 1


def test_a_file_of_the_past_needs_no_index(profile, monkeypatch):
    project_id = create_project(profile, "one file")
    for number in range(5):
        carry_out(profile, "file.write", target=project_id, path="a", content=f"{number}")
    last = settled(profile)
    monkeypatch.setattr(profile.past._indexer, "bring", lambda *_: pytest.fail("the index is not needed"))
    decoded = counted(monkeypatch, profile.log)
    assert (
        profile.past.queries(project_id, last - 2, Work()).files.get(project_id, "a", SERVICE)["version"] == 3
    )
    assert decoded == [last - 2]


def test_work_for_the_past_stops_at_its_next_step(profile):
    project_id = create_project(profile, "stopped")
    carry_out(profile, "file.write", target=project_id, path="a", content="1")
    last, work = settled(profile), Work()
    queries = profile.past.queries(project_id, last, work)
    work.end()
    for ask in (
        lambda: queries.projects.get(project_id, SERVICE),
        lambda: queries.files.get(project_id, "a", SERVICE),
        lambda: queries.files.page(project_id, "", PageRequest(), SERVICE),
        lambda: queries.commits.page(project_id, None, PageRequest(), SERVICE),
        lambda: profile.past.authored_by(project_id, 0, work),
    ):
        with pytest.raises(WorkEndedError):
            ask()


def test_insights_say_that_they_are_pending_where_too_much_has_changed(profile, monkeypatch):
    monkeypatch.setattr("codepark.past.insights._MOST_CHANGED", 2)
    project_id = create_project(profile, "insights")
    for number in range(6):
        carry_out(profile, "file.write", target=project_id, path=f"{number}.py", content=TANGLED)
    last = settled(profile)
    near, far = Work(), Work()
    assert profile.past.queries(project_id, last - 2, near).insights.get(project_id, SERVICE)["files"] == 4
    profile.past.queries(project_id, last - 3, far).insights.get(project_id, SERVICE)
    assert (near.insights_pending, far.insights_pending) == (False, True)
    no_time = Work(insight_seconds=-1)
    profile.past.queries(project_id, last - 2, no_time).insights.get(project_id, SERVICE)
    assert no_time.insights_pending is False, "the files that changed since did not exist then"


def test_insights_that_cannot_be_measured_in_time_are_those_that_are_known(profile, monkeypatch):
    monkeypatch.setattr("codepark.past.insights._MOST_CHANGED", 2)
    project_id = create_project(profile, "known")
    for path in ("changed.py", "same.py"):
        carry_out(profile, "file.write", target=project_id, path=path, content=TANGLED)
    then = settled(profile)
    for number in range(4):
        carry_out(profile, "file.write", target=project_id, path="changed.py", content=f"x = {number}\n")
        carry_out(profile, "file.write", target=project_id, path=f"new {number}.py", content=TANGLED)
    settled(profile)
    work = Work()
    insights = profile.past.queries(project_id, then, work).insights.get(project_id, SERVICE)
    assert (insights["files"], insights["functions"]) == (1, 1), "nothing that came later"
    assert [suggestion["file"] for suggestion in insights["suggestions"]] == ["same.py"]
    assert insights["insightsPending"] is True


def test_files_that_were_left_out_are_those_of_the_moment(profile):
    project_id = create_project(profile, "vendored")
    carry_out(profile, "file.write", target=project_id, path="vendor/a.py", content=TANGLED)
    carry_out(profile, "file.write", target=project_id, path="b.py", content="x = 1\n")
    then = settled(profile)
    carry_out(profile, "file.write", target=project_id, path="vendor/c.py", content=TANGLED)
    carry_out(profile, "file.delete", target=project_id, path="vendor/a.py")
    settled(profile)
    insights = profile.past.queries(project_id, then, Work()).insights.get(project_id, SERVICE)
    assert (insights["files"], insights["filesLeftOut"], insights["functions"]) == (2, 1, 0)
    assert insights["leftOut"] == [{"file": "vendor/a.py", "reason": "vendored"}]


def test_the_time_of_authors_never_goes_back(profile):
    project_id = create_project(profile, "imported")
    times = [
        "2020-01-01T00:00:00Z",
        "2021-06-01T00:00:00+02:00",
        "2019-01-01T00:00:00Z",
        "2022-01-01T00:00:00Z",
    ]
    ends = []
    for number, authored_at in enumerate(times):
        commit(
            profile,
            project_id,
            number,
            change("a", f"{number}"),
            change("b", f"{number}"),
            authored_at=authored_at,
        )
        ends.append(profile.log.tip().sequence)

    def at(year, month=1, day=1):
        milliseconds = int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
        return profile.past.authored_by(project_id, milliseconds, Work())

    assert at(2019, 12, 31) is None
    assert at(2020, 1, 1) == ends[0]
    assert at(2021, 5, 30) == ends[0]
    assert at(2021, 6, 1) == ends[2], "the third commit follows the second, whatever its author's clock said"
    assert at(2023) == ends[3]
