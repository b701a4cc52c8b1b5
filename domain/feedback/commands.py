"""The command of feedback."""

from domain.command import Command
from domain.policy import Scope, signed_in


class GiveFeedback(Command, tag="feedback.give", rule=signed_in(Scope.WRITE)):
    """Write to those who run the platform, about the request *request_id* where there is one."""

    feedback_id: str
    author_id: str
    message: str
    request_id: str | None
