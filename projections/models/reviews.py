"""Reviews, and the comments on them."""

from collections.abc import Iterable

from domain.record import Record
from domain.review.events import ReviewClosed, ReviewCommented, ReviewDecided, ReviewOpened
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Document, Patch, Put, SetItem, Write

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
        **_moved(record),
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
    }
    return Put(COMMENTS, event.comment_id, comment), Patch(REVIEWS, event.review_id, _moved(record))


def _decided(event: ReviewDecided, record: Record) -> Iterable[Write]:
    decision = {
        "reviewerId": event.reviewer_id,
        "decision": event.decision,
        "text": event.text,
        "at": rfc3339(record.occurred_at),
    }
    return (SetItem(REVIEWS, event.review_id, "decisions", "reviewerId", decision, _moved(record)),)


def _closed(event: ReviewClosed, record: Record) -> Iterable[Write]:
    return (Patch(REVIEWS, event.review_id, {"status": "closed", **_moved(record)}),)


def _moved(record: Record) -> Document:
    return {"version": record.version, "updatedAt": rfc3339(record.occurred_at)}


MODEL = read_model(
    REVIEWS,
    {ReviewOpened: _opened, ReviewCommented: _commented, ReviewDecided: _decided, ReviewClosed: _closed},
    Collection(name=REVIEWS, indexes=(("projectId", "createdAt"),)),
    Collection(name=COMMENTS, indexes=(("reviewId", "number"),)),
)
