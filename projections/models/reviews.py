"""Reviews, and the comments on them."""

from collections.abc import Iterable
from typing import get_args

from domain.erasure.events import TracesErased
from domain.event import ERASED
from domain.record import Record
from domain.review.events import ReviewClosed, ReviewCommented, ReviewDecided, ReviewEvent, ReviewOpened
from domain.times import rfc3339
from projections.model import Collection, Shows
from projections.models.dispatch import read_model
from projections.writes import Patch, PatchItem, Put, SetItem, Write

REVIEWS = "reviews"
COMMENTS = "comments"


def _opened(event: ReviewOpened, record: Record) -> Iterable[Write]:
    document = {
        "id": event.review_id,
        "projectId": event.project_id,
        "title": event.title,
        "description": event.description,
        "authorId": event.author_id,
        "commits": list(event.commits),
        "status": "open",
        "decisions": [],
        "createdAt": rfc3339(record.occurred_at),
        "sequence": record.sequence,
    }
    return (Put(REVIEWS, event.review_id, document),)


def _commented(event: ReviewCommented, record: Record) -> Iterable[Write]:
    comment = {
        "id": event.comment_id,
        "reviewId": event.review_id,
        "projectId": event.project_id,
        "authorId": event.author_id,
        "text": event.text,
        "path": event.path,
        "line": event.line,
        "mentions": list(event.mentions),
        "createdAt": rfc3339(record.occurred_at),
        "number": record.version,
        "sequence": record.sequence,
    }
    return (Put(COMMENTS, event.comment_id, comment),)


def _decided(event: ReviewDecided, record: Record) -> Iterable[Write]:
    decision = {
        "reviewerId": event.reviewer_id,
        "decision": event.decision,
        "text": event.text,
        "at": rfc3339(record.occurred_at),
        "sequence": record.sequence,
    }
    return (SetItem(REVIEWS, event.review_id, "decisions", "reviewerId", decision),)


def _closed(event: ReviewClosed, _: Record) -> Iterable[Write]:
    return (Patch(REVIEWS, event.review_id, {"status": "closed"}),)


def _erased(event: TracesErased, _: Record) -> Iterable[Write]:
    """Erase what the person wrote; nobody decides their own review, so each document has one write."""
    words, text = {"title": ERASED, "description": ERASED}, {"text": ERASED}
    return [
        *(Patch(REVIEWS, review, words) for review in event.reviews),
        *(Patch(COMMENTS, comment, text) for comment in event.comments),
        *(
            PatchItem(REVIEWS, review, "decisions", "reviewerId", event.person, text)
            for review in event.decisions
        ),
    ]


MODEL = read_model(
    REVIEWS,
    {
        ReviewOpened: _opened,
        ReviewCommented: _commented,
        ReviewDecided: _decided,
        ReviewClosed: _closed,
        TracesErased: _erased,
    },
    Collection(
        name=REVIEWS,
        indexes=(("projectId", "createdAt"), ("authorId", "createdAt")),
        multikey=("decisions.reviewerId",),
        shows=Shows(events=get_args(ReviewEvent), document=lambda event: event.review_id),
    ),
    Collection(name=COMMENTS, indexes=(("reviewId", "number"), ("authorId", "createdAt"))),
    version=3,
    answers_commands=True,
)
