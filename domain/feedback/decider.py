"""The decider of feedback."""

from domain.actor import Actor
from domain.errors import ForbiddenError
from domain.feedback.commands import GiveFeedback
from domain.feedback.events import FeedbackGiven
from domain.limits import FEEDBACK_LENGTH, REQUEST_ID_LENGTH
from domain.policy import permit
from domain.text import checked_line, checked_words


def decide(command: GiveFeedback, actor: Actor) -> tuple[FeedbackGiven, ...]:
    """Return the events that *command* causes, or refuse it.

    Feedback never changes, so there is no state to decide on: the handler calls this for new feedback alone.
    """
    permit(actor, command.NAME)
    message = checked_words(command.message, pointer="/message", longest=FEEDBACK_LENGTH)
    request_id = command.request_id
    if request_id is not None:
        request_id = checked_line(request_id, pointer="/requestId", longest=REQUEST_ID_LENGTH)
    if actor.is_service:
        raise ForbiddenError("only an account may give feedback")
    if actor.id != command.author_id:
        raise ForbiddenError("only the account itself may give its feedback")
    given = FeedbackGiven(
        feedback_id=command.feedback_id, author_id=actor.id, message=message, request_id=request_id
    )
    return (given,)
