import pytest

from domain.actor import SERVICE
from domain.feedback.commands import GiveFeedback
from domain.feedback.decider import decide
from domain.feedback.events import FeedbackGiven
from domain.limits import FEEDBACK_LENGTH, REQUEST_ID_LENGTH
from tests.unit.domain.people import ANONYMOUS, AUDITOR, OWNER, STRANGER
from tests.unit.domain.scenario import Outcome

WORDS = {"feedback_id": "f1", "message": "It is slow.\nVery.", "request_id": "r-1"}


def give(actor, author=None, **fields):
    command = GiveFeedback(**{**WORDS, "author_id": (author or actor).id, **fields})
    return Outcome(lambda: decide(command, actor))


@pytest.mark.parametrize("actor", [OWNER, AUDITOR])
@pytest.mark.parametrize("request_id", ["r-1", None])
def test_every_account_gives_feedback(actor, request_id):
    give(actor, request_id=request_id).then(
        FeedbackGiven(**{**WORDS, "author_id": actor.id, "request_id": request_id})
    )


def test_visitors_and_services_do_not():
    give(ANONYMOUS).refused("authentication_required")
    give(SERVICE).refused("forbidden")


def test_nobody_gives_it_for_another_account():
    give(OWNER, STRANGER).refused("forbidden")


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("message", "message", ""),
        ("message", "message", " \n"),
        ("message", "message", "m" * (FEEDBACK_LENGTH + 1)),
        ("message", "message", "\ud800"),
        ("request_id", "requestId", ""),
        ("request_id", "requestId", "a\nb"),
        ("request_id", "requestId", "r" * (REQUEST_ID_LENGTH + 1)),
    ],
)
def test_invalid_words(field, name, value):
    give(OWNER, **{field: value}).refused("invalid", f"/{name}")
