"""The events of reviews. Texts that a person wrote are that person's data."""

from enum import StrEnum

from domain.event import Event, Personal


class Decision(StrEnum):
    """The decision of a reviewer about the change."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"


class ReviewOpened(Event, topic="review.opened", version=1, subject="author_id"):
    """Somebody opened a review of some commits."""

    project_id: str
    review_id: str
    author_id: str
    title: Personal[str]
    description: Personal[str]
    commits: tuple[str, ...]
    mentions: tuple[str, ...]


class ReviewCommented(Event, topic="review.commented", version=1, subject="author_id"):
    """Somebody commented on the review, or on one *line* of a file, or on the file at *path*."""

    project_id: str
    review_id: str
    comment_id: str
    review_author_id: str
    author_id: str
    text: Personal[str]
    path: str | None
    line: int | None
    mentions: tuple[str, ...]


class ReviewDecided(Event, topic="review.decided", version=1, subject="reviewer_id"):
    """A reviewer approved the change or requested another one."""

    project_id: str
    review_id: str
    review_author_id: str
    reviewer_id: str
    decision: Decision
    text: Personal[str]


class ReviewClosed(Event, topic="review.closed", version=1):
    """The review was closed."""

    project_id: str
    review_id: str


ReviewEvent = ReviewOpened | ReviewCommented | ReviewDecided | ReviewClosed
