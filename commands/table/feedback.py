"""The command with which an account writes to those who run the platform."""

from typing import Annotated

from msgspec import Meta

from commands.table.fields import Input
from commands.table.handler import Handler
from commands.table.row import BuildContext, ClientCommandRow
from commands.unit_of_work import UnitOfWork
from domain import limits
from domain.feedback.commands import GiveFeedback
from domain.feedback.decider import decide
from domain.identifiers import feedback_stream

Message = Annotated[str, Meta(min_length=1, max_length=limits.FEEDBACK_LENGTH)]
RequestId = Annotated[str, Meta(min_length=1, max_length=limits.REQUEST_ID_LENGTH, pattern=limits.LINE)]


class FeedbackInput(Input):
    """A message to those who run the platform, and the id of the request that it is about, if any."""

    message: Message
    request_id: RequestId | None = None


def _give(data: FeedbackInput, context: BuildContext) -> GiveFeedback:
    return GiveFeedback(
        feedback_id=context.new_id,
        author_id=context.account,
        message=data.message,
        request_id=data.request_id,
    )


def _home(command: GiveFeedback) -> str:
    return command.author_id


def _stream(command: GiveFeedback) -> str:
    return feedback_stream(command.feedback_id)


def _run(unit: UnitOfWork, stream: str, command: GiveFeedback) -> None:
    if unit.version(stream) == 0:
        unit.record(stream, decide(command, unit.actor))


ROWS = (
    ClientCommandRow(
        GiveFeedback,
        Handler(home=_home, stream=_stream, run=_run),
        FeedbackInput,
        _give,
        targeted=False,
    ),
)
