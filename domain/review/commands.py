"""What may be asked of reviews. *mentions* are the accounts whose names the words mention."""

from domain.command import Command
from domain.policy import ProjectRole, member
from domain.review.events import Decision


class OpenReview(Command, tag="review.open", rule=member(ProjectRole.VIEWER)):
    """Ask for a review."""

    project_id: str
    review_id: str
    title: str
    description: str
    commits: tuple[str, ...]
    mentions: tuple[str, ...]


class CommentReview(Command, tag="review.comment", rule=member(ProjectRole.VIEWER)):
    """Say something about the change."""

    project_id: str
    review_id: str
    comment_id: str
    text: str
    path: str | None
    line: int | None
    mentions: tuple[str, ...]


class DecideReview(Command, tag="review.decide", rule=member(ProjectRole.EDITOR)):
    """Approve the change or ask for another."""

    project_id: str
    review_id: str
    decision: Decision
    text: str


class CloseReview(Command, tag="review.close", rule=member(ProjectRole.VIEWER)):
    """End the review."""

    project_id: str
    review_id: str


ReviewCommand = OpenReview | CommentReview | DecideReview | CloseReview
