"""The read models of commits, reviews, builds and activity."""

import msgspec

from domain.build.events import BuildQueued, BuildStatus, BuildStatusChanged
from domain.commit.events import ChangeStatus, CommitPartRecorded, CommitRecorded, RecordedChange
from domain.erasure.events import TracesErased
from domain.event import ERASED
from domain.file.events import FileDeleted
from domain.review.events import Decision, ReviewClosed, ReviewCommented, ReviewDecided, ReviewOpened
from projections.models import activity, builds, commits, reviews
from tests.support.records import OCCURRED_AT_TEXT

CHANGES = (RecordedChange(path="a.py", status=ChangeStatus.ADDED),)
COMMIT = CommitRecorded(
    fingerprint=None,
    project_id="p",
    sha="abc",
    number=7,
    parents=("def",),
    message="m",
    author_id="x",
    author_name="Ann",
    author_email="ann@example.org",
    authored_at="2020-01-01T00:00:00+01:00",
    changes=CHANGES,
)
OPENED = ReviewOpened(
    project_id="p", review_id="r", author_id="a", title="t", description="d", commits=("abc",), mentions=()
)
COMMENT = ReviewCommented(
    project_id="p",
    review_id="r",
    comment_id="c",
    review_author_id="a",
    author_id="b",
    text="x",
    path="a.py",
    line=3,
    mentions=("m",),
)


def decided(reviewer, decision):
    return ReviewDecided(
        project_id="p", review_id="r", review_author_id="a", reviewer_id=reviewer, decision=decision, text="w"
    )


def test_a_commit(documents):
    assert documents(commits.MODEL).given(COMMIT)["commits"]["p/abc"] == {
        "id": "p/abc",
        "projectId": "p",
        "authorId": COMMIT.author_id,
        "recordedBy": "owner",
        "sha": "abc",
        "number": 7,
        "message": "m",
        "author": {"name": "Ann", "email": "ann@example.org"},
        "authoredAt": "2020-01-01T00:00:00+01:00",
        "parents": ["def"],
        "changes": [{"path": "a.py", "status": "A"}],
        "recordedAt": OCCURRED_AT_TEXT,
        "version": 7,
        "sequence": 1,
    }


def test_a_part_of_a_commit_is_not_shown(documents):
    part = CommitPartRecorded(project_id="p", sha="abc", changes=CHANGES, fingerprint=None)
    assert documents(commits.MODEL).given(part).stored == {}


def test_a_review_from_beginning_to_end(documents):
    given = documents(reviews.MODEL).given(OPENED, COMMENT, decided("b", Decision.CHANGES_REQUESTED))
    given.given(decided("b", Decision.APPROVED), ReviewClosed(project_id="p", review_id="r"))
    assert given["reviews"]["r"] == {
        "id": "r",
        "projectId": "p",
        "title": "t",
        "description": "d",
        "authorId": "a",
        "commits": ["abc"],
        "status": "closed",
        "decisions": [
            {
                "reviewerId": "b",
                "decision": "approved",
                "text": "w",
                "at": OCCURRED_AT_TEXT,
                "sequence": 4,
            }
        ],
        "version": 5,
        "sequence": 1,
        "createdAt": OCCURRED_AT_TEXT,
        "updatedAt": OCCURRED_AT_TEXT,
    }


def test_a_comment(documents):
    assert documents(reviews.MODEL).given(OPENED, COMMENT)["comments"]["c"] == {
        "id": "c",
        "reviewId": "r",
        "projectId": "p",
        "authorId": "b",
        "text": "x",
        "path": "a.py",
        "line": 3,
        "mentions": ["m"],
        "createdAt": OCCURRED_AT_TEXT,
        "number": 2,
        "sequence": 2,
    }


def test_the_status_of_a_build_changes(documents):
    queued = BuildQueued(project_id="p", build_id="b", name="ci", commit="abc")
    given = documents(builds.MODEL).given(queued)
    assert given["builds"]["b"]["status"] == "queued"
    given.given(BuildStatusChanged(project_id="p", build_id="b", status=BuildStatus.RUNNING))
    assert given["builds"]["b"] == {
        "id": "b",
        "projectId": "p",
        "name": "ci",
        "commit": "abc",
        "status": "running",
        "version": 2,
        "sequence": 1,
        "createdAt": OCCURRED_AT_TEXT,
        "updatedAt": OCCURRED_AT_TEXT,
    }


def test_a_line_of_activity(documents):
    line = documents(activity.MODEL).given(COMMIT, actor="o")["activity"]["p/00000000000000000001"]
    assert line == {
        "id": "p/00000000000000000001",
        "sequence": 1,
        "projectId": "p",
        "type": "commit.recorded",
        "actorId": "o",
        "sha": "abc",
        "number": 7,
        "changes": 1,
        "at": OCCURRED_AT_TEXT,
    }


def test_activity_leaves_out_the_files_of_a_commit(documents):
    by_commit = FileDeleted(project_id="p", path="a", commit="abc")
    by_hand = FileDeleted(project_id="p", path="a", commit=None)
    given = documents(activity.MODEL).given(by_commit, by_hand)
    assert [line["sequence"] for line in given["activity"].values()] == [2]


def test_activity_has_no_personal_data(documents):
    given = documents(activity.MODEL).given(COMMIT, OPENED, COMMENT, decided("b", Decision.APPROVED))
    text = msgspec.json.encode(list(given["activity"].values())).decode()
    assert not any(word in text for word in ("Ann", "example.org", '"m"', '"t"', '"x"', '"w"'))


def test_the_timeline_has_a_commit_in_few_words_and_where_its_events_end(documents):
    long = msgspec.structs.replace(COMMIT, message=f"{'w' * 200}\nIn detail.")
    assert documents(commits.MODEL).given(long)["timeline"]["p/abc"] == {
        "id": "p/abc",
        "projectId": "p",
        "number": 7,
        "sha": "abc",
        "title": f"{'w' * 100}…",
        "authorName": "Ann",
        "authoredAt": "2020-01-01T00:00:00+01:00",
        "recordedAt": OCCURRED_AT_TEXT,
        "sequence": 1,
        "end": 1,
    }


def test_an_erased_author_is_not_in_the_timeline(documents):
    none = dict.fromkeys(("reviews", "comments", "decisions", "sessions", "tokens"), ())
    erased = TracesErased(home="p", person="x", commits=("abc",), **none)
    shown = documents(commits.MODEL).given(COMMIT, erased)
    assert (shown["timeline"]["p/abc"]["title"], shown["timeline"]["p/abc"]["authorName"]) == (ERASED, ERASED)
    assert shown["commits"]["p/abc"]["message"] == ERASED
