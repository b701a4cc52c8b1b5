"""What may be asked of reviews. *mentions* are the accounts whose names the words mention."""

from domain.command import Command
from domain.review.events import Decision


class OpenReview(Command, tag="review.open"):
    """Ask for a review."""

    project_id: str
    review_id: str
    title: str
    description: str
    commits: tuple[str, ...]
    mentions: tuple[str, ...]


class CommentReview(Command, tag="review.comment"):
    """Say something about the change."""

    project_id: str
    review_id: str
    comment_id: str
    text: str
    path: str | None
    line: int | None
    mentions: tuple[str, ...]


class DecideReview(Command, tag="review.decide"):
    """Approve the change or ask for another."""

    project_id: str
    review_id: str
    decision: Decision
    text: str


class CloseReview(Command, tag="review.close"):
    """End the review."""

    project_id: str
    review_id: str


ReviewCommand = OpenReview | CommentReview | DecideReview | CloseReview
