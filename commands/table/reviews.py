"""Commands on the reviews of a project."""

from typing import Annotated

from msgspec import Meta

from commands.table.fields import Id, Input, LineNumber, Path, Sha, Text, Title, Words
from commands.table.handler import Handler, loads_project, project_home, within_project
from commands.table.row import BuildContext, ClientCommandRow
from domain.identifiers import review_stream
from domain.limits import REVIEW_COMMITS
from domain.review.commands import CloseReview, CommentReview, DecideReview, OpenReview, ReviewCommand
from domain.review.decider import decide
from domain.review.events import Decision


class ReviewInput(Input):
    """A new review."""

    title: Title
    description: Text | None = None
    commits: Annotated[tuple[Sha, ...], Meta(max_length=REVIEW_COMMITS)] = ()


class CommentInput(Input):
    """A comment on the review or, with a *path*, on a file or one line of it."""

    text: Words
    path: Path | None = None
    line: LineNumber | None = None


class CommentCommand(CommentInput, kw_only=True):
    """A comment on a review."""

    review_id: Id


class DecisionInput(Input):
    """The decision of a reviewer."""

    decision: Decision
    text: Text | None = None


class DecisionCommand(DecisionInput, kw_only=True):
    """The decision of a reviewer, with the review."""

    review_id: Id


class ReviewReference(Input):
    """A review, by its id."""

    review_id: Id


def _open(data: ReviewInput, context: BuildContext) -> OpenReview:
    description = data.description or ""
    return OpenReview(
        project_id=context.target,
        review_id=context.new_id,
        title=data.title,
        description=description,
        commits=data.commits,
        mentions=context.mentions(data.title, description),
    )


def _comment(data: CommentCommand, context: BuildContext) -> CommentReview:
    return CommentReview(
        project_id=context.target,
        review_id=data.review_id,
        comment_id=context.new_id,
        text=data.text,
        path=data.path,
        line=data.line,
        mentions=context.mentions(data.text),
    )


def _decide(data: DecisionCommand, context: BuildContext) -> DecideReview:
    return DecideReview(
        project_id=context.target, review_id=data.review_id, decision=data.decision, text=data.text or ""
    )


def _close(data: ReviewReference, context: BuildContext) -> CloseReview:
    return CloseReview(project_id=context.target, review_id=data.review_id)


def _stream(command: ReviewCommand) -> str:
    return review_stream(command.review_id)


_HANDLER = Handler(home=project_home, stream=_stream, run=within_project(decide), also_loads=loads_project)

ROWS = (
    ClientCommandRow(OpenReview, _HANDLER, ReviewInput, _open),
    ClientCommandRow(CommentReview, _HANDLER, CommentCommand, _comment),
    ClientCommandRow(DecideReview, _HANDLER, DecisionCommand, _decide),
    ClientCommandRow(CloseReview, _HANDLER, ReviewReference, _close),
)
