"""The commands of reviews. *mentions* are the ids of the accounts that the texts mention."""

from domain.command import Command
from domain.policy import ProjectRole, member
from domain.review.events import Decision


class OpenReview(Command, tag="review.open", rule=member(ProjectRole.VIEWER)):
    """Open a review."""

    project_id: str
    review_id: str
    title: str
    description: str
    commits: tuple[str, ...]
    mentions: tuple[str, ...]


class CommentReview(Command, tag="review.comment", rule=member(ProjectRole.VIEWER)):
    """Comment on a review."""

    project_id: str
    review_id: str
    comment_id: str
    text: str
    path: str | None
    line: int | None
    mentions: tuple[str, ...]


class DecideReview(Command, tag="review.decide", rule=member(ProjectRole.EDITOR)):
    """Approve the change or request another one."""

    project_id: str
    review_id: str
    decision: Decision
    text: str


class CloseReview(Command, tag="review.close", rule=member(ProjectRole.VIEWER)):
    """Close the review."""

    project_id: str
    review_id: str


ReviewCommand = OpenReview | CommentReview | DecideReview | CloseReview
