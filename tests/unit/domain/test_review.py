import msgspec
import pytest

from domain.limits import REVIEW_COMMITS, TEXT_LENGTH, TITLE_LENGTH
from domain.review import decider
from domain.review.commands import CloseReview, CommentReview, DecideReview, OpenReview
from domain.review.events import Decision, ReviewClosed, ReviewCommented, ReviewDecided, ReviewOpened
from tests.unit.domain.people import (
    ADMIN,
    ANONYMOUS,
    AUDITOR,
    EDITOR,
    MAINTAINER,
    OWNER,
    PRIVATE,
    PROJECT_ID,
    PUBLIC,
    STRANGER,
    VIEWER,
)
from tests.unit.domain.scenario import given

ID = {"project_id": PROJECT_ID, "review_id": "r1"}
CLOSED = ReviewClosed(**ID)
CLOSE = CloseReview(**ID)
WORDS = {"title": "Look", "description": "", "commits": ("abcd",), "mentions": ("owner",)}
PLACE = {"text": "Why?", "path": "a.py", "line": 3, "mentions": ()}


def open_review(**fields):
    return OpenReview(**ID, **{**WORDS, **fields})


def opened(author=EDITOR, **fields):
    return ReviewOpened(**{**ID, **WORDS, "author_id": author.id, **fields})


def comment(comment_id="c1", **fields):
    return CommentReview(**ID, comment_id=comment_id, **{**PLACE, **fields})


def commented(author=VIEWER, **fields):
    return ReviewCommented(
        **ID, comment_id="c1", review_author_id=EDITOR.id, author_id=author.id, **{**PLACE, **fields}
    )


def decision(value=Decision.APPROVED, text=""):
    return DecideReview(**ID, decision=value, text=text)


def decided(value=Decision.APPROVED, text="", reviewer=MAINTAINER):
    return ReviewDecided(**ID, review_author_id=EDITOR.id, reviewer_id=reviewer.id, decision=value, text=text)


def review(*events, project=PRIVATE):
    return given(decider, *events, project=project)


def test_a_viewer_opens_a_review():
    review().when(open_review(), VIEWER).then(opened(VIEWER))


def test_every_user_may_open_a_review_of_a_public_project():
    review(project=PUBLIC).when(open_review(), STRANGER).then(opened(STRANGER))


def test_who_may_not_open_a_review():
    review().when(open_review(), STRANGER).refused("project_not_found")
    review().when(open_review(), AUDITOR).refused("role_required")
    review(project=PUBLIC).when(open_review(), ANONYMOUS).refused("authentication_required")


def test_open_with_an_id_that_exists():
    review(opened()).when(open_review(), EDITOR).refused("review_exists")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": " "}, "/title"),
        ({"title": "t" * (TITLE_LENGTH + 1)}, "/title"),
        ({"title": "a\nb"}, "/title"),
        ({"description": "d" * (TEXT_LENGTH + 1)}, "/description"),
        ({"commits": ("abcd", "nope")}, "/commits/1"),
        ({"commits": ("abcd",) * (REVIEW_COMMITS + 1)}, "/commits"),
    ],
)
def test_open_with_invalid_fields(fields, pointer):
    review().when(open_review(**fields), EDITOR).refused("invalid", pointer)


def test_a_viewer_comments():
    review(opened()).when(comment(), VIEWER).then(commented())


def test_a_comment_on_the_whole_review():
    review(opened()).when(comment(path=None, line=None), VIEWER).then(commented(path=None, line=None))


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"text": ""}, "invalid", "/text"),
        ({"text": " \n"}, "invalid", "/text"),
        ({"text": "t" * (TEXT_LENGTH + 1)}, "invalid", "/text"),
        ({"path": None}, "invalid", "/line"),
        ({"line": 0}, "invalid", "/line"),
        ({"path": "/a"}, "invalid_path", "/path"),
    ],
)
def test_comment_with_invalid_fields(fields, code, pointer):
    review(opened()).when(comment(**fields), VIEWER).refused(code, pointer)


def test_a_comment_id_is_used_once():
    review(opened(), commented()).when(comment(), VIEWER).refused("comment_exists")
    assert review(opened(), commented()).when(comment("c2"), VIEWER).events()


def test_decide():
    review(opened()).when(decision(), MAINTAINER).then(decided())


def test_decide_needs_an_editor():
    review(opened()).when(decision(), VIEWER).refused("role_required")


@pytest.mark.parametrize("value", Decision)
def test_nobody_decides_on_their_own_review(value):
    review(opened()).when(decision(value), EDITOR).refused("own_review")
    review(opened(ADMIN)).when(decision(value), ADMIN).refused("own_review")


def test_decide_the_same_again():
    review(opened(), decided()).when(decision(), MAINTAINER).then()


def test_decide_the_same_with_words():
    review(opened(), decided()).when(decision(text="Nice"), MAINTAINER).then(decided(text="Nice"))


def test_decide_otherwise():
    other = Decision.CHANGES_REQUESTED
    review(opened(), decided()).when(decision(other), MAINTAINER).then(decided(other))
    review(opened(), decided(), decided(other)).when(decision(), MAINTAINER).then(decided())


def test_another_decides_the_same():
    review(opened(), decided()).when(decision(), OWNER).then(decided(reviewer=OWNER))


def test_decide_with_a_long_text():
    review(opened()).when(decision(text="t" * (TEXT_LENGTH + 1)), OWNER).refused("invalid", "/text")


@pytest.mark.parametrize("actor", [EDITOR, MAINTAINER, OWNER, ADMIN])
def test_the_author_or_a_maintainer_closes(actor):
    review(opened()).when(CLOSE, actor).then(CLOSED)


def test_a_viewer_closes_an_own_review():
    review(opened(VIEWER)).when(CLOSE, VIEWER).then(CLOSED)


def test_others_do_not_close():
    review(opened()).when(CLOSE, VIEWER).refused("role_required")
    review(opened(VIEWER)).when(CLOSE, EDITOR).refused("role_required")


def test_close_again():
    review(opened(), CLOSED).when(CLOSE, EDITOR).then()


@pytest.mark.parametrize("command", [comment(), decision()])
def test_a_closed_review_stays_as_it_is(command):
    review(opened(), CLOSED).when(command, MAINTAINER).refused("review_closed")


@pytest.mark.parametrize("command", [comment(), decision(), CLOSE])
@pytest.mark.parametrize("events", [(), (opened(project_id="p2"),)])
def test_a_review_that_the_project_does_not_have(command, events):
    review(*events).when(command, OWNER).refused("review_not_found")


def test_the_state_survives_a_snapshot_and_holds_no_words():
    state = decider.INITIAL
    for event in (opened(title="Secret"), commented(text="Secret"), decided(text="Secret"), CLOSED):
        state = decider.evolve(state, event)
    data = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(data, type=decider.Review) == state
    assert b"Secret" not in data


MENTIONS = (OWNER.id, VIEWER.id, STRANGER.id, ADMIN.id)


def test_a_text_in_a_private_project_mentions_only_its_members():
    members = (OWNER.id, VIEWER.id)
    review().when(open_review(mentions=MENTIONS), EDITOR).then(opened(mentions=members))
    review(opened()).when(comment(mentions=MENTIONS), EDITOR).then(commented(EDITOR, mentions=members))


def test_a_text_in_a_public_project_mentions_everybody():
    review(project=PUBLIC).when(open_review(mentions=MENTIONS), EDITOR).then(opened(mentions=MENTIONS))
    public = review(opened(), project=PUBLIC)
    public.when(comment(mentions=MENTIONS), EDITOR).then(commented(EDITOR, mentions=MENTIONS))
