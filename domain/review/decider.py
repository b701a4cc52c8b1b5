"""The decider of reviews."""

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.actor import Actor
from domain.commit.hashes import checked_sha
from domain.errors import ConflictError, InvalidError, NotFoundError
from domain.file.paths import checked_path
from domain.limits import REVIEW_COMMITS, TEXT_LENGTH, TITLE_LENGTH
from domain.project.access import ProjectAccess, require, seeing
from domain.review.commands import CloseReview, CommentReview, DecideReview, OpenReview, ReviewCommand
from domain.review.events import (
    Decision,
    ReviewClosed,
    ReviewCommented,
    ReviewDecided,
    ReviewEvent,
    ReviewOpened,
)
from domain.text import checked_line, checked_text, checked_words


class Review(Struct, frozen=True, kw_only=True):
    """The state of a review; *decisions* holds the last one of each reviewer.

    It has no texts: a snapshot of the state is not encrypted, so the state must stay free of personal data.
    """

    exists: bool
    closed: bool
    project_id: str
    author_id: str
    comments: frozenset[str]
    decisions: Mapping[str, Decision]


INITIAL = Review(exists=False, closed=False, project_id="", author_id="", comments=frozenset(), decisions={})


def decide(
    project: ProjectAccess, review: Review, command: ReviewCommand, actor: Actor
) -> tuple[ReviewEvent, ...]:
    """Return the events that *command* causes, or refuse it."""
    require(project, actor, command.NAME)
    match command:
        case OpenReview():
            return _open(project, review, command, actor)
        case CommentReview():
            return _comment(project, review, command, actor)
        case DecideReview():
            return _decide(review, command, actor)
        case CloseReview():
            return _close(project, review, command, actor)
        case _:
            assert_never(command)


def evolve(review: Review, event: ReviewEvent) -> Review:
    """Return the review after *event*."""
    match event:
        case ReviewOpened():
            return replace(INITIAL, exists=True, project_id=event.project_id, author_id=event.author_id)
        case ReviewCommented():
            return replace(review, comments=review.comments | {event.comment_id})
        case ReviewDecided():
            return replace(review, decisions={**review.decisions, event.reviewer_id: event.decision})
        case ReviewClosed():
            return replace(review, closed=True)
        case _:
            assert_never(event)


def _open(
    project: ProjectAccess, review: Review, command: OpenReview, actor: Actor
) -> tuple[ReviewEvent, ...]:
    if review.exists:
        raise ConflictError("there is a review with this id already", code="review_exists")
    if len(command.commits) > REVIEW_COMMITS:
        raise InvalidError(f"a review names at most {REVIEW_COMMITS} commits", pointer="/commits")
    for index, sha in enumerate(command.commits):
        checked_sha(sha, pointer=f"/commits/{index}")
    opened = ReviewOpened(
        project_id=command.project_id,
        review_id=command.review_id,
        author_id=actor.id,
        title=checked_line(command.title, pointer="/title", longest=TITLE_LENGTH),
        description=checked_text(command.description, pointer="/description", longest=TEXT_LENGTH),
        commits=command.commits,
        mentions=seeing(project, command.mentions),
    )
    return (opened,)


def _comment(
    project: ProjectAccess, review: Review, command: CommentReview, actor: Actor
) -> tuple[ReviewEvent, ...]:
    _require_open(review, command.project_id)
    if command.comment_id in review.comments:
        raise ConflictError("there is a comment with this id already", code="comment_exists")
    if command.line is not None:
        if command.path is None:
            raise InvalidError("name the path of the file that the line is in", pointer="/line")
        if command.line < 1:
            raise InvalidError("lines are counted from 1: write a larger number", pointer="/line")
    commented = ReviewCommented(
        project_id=command.project_id,
        review_id=command.review_id,
        comment_id=command.comment_id,
        review_author_id=review.author_id,
        author_id=actor.id,
        text=checked_words(command.text, pointer="/text", longest=TEXT_LENGTH),
        path=None if command.path is None else checked_path(command.path),
        line=command.line,
        mentions=seeing(project, command.mentions),
    )
    return (commented,)


def _decide(review: Review, command: DecideReview, actor: Actor) -> tuple[ReviewEvent, ...]:
    _require_open(review, command.project_id)
    if actor.id == review.author_id:
        raise ConflictError("the author of a review cannot decide it", code="own_review")
    text = checked_text(command.text, pointer="/text", longest=TEXT_LENGTH)
    if not text and review.decisions.get(actor.id) is command.decision:
        return ()
    decided = ReviewDecided(
        project_id=command.project_id,
        review_id=command.review_id,
        review_author_id=review.author_id,
        reviewer_id=actor.id,
        decision=command.decision,
        text=text,
    )
    return (decided,)


def _close(
    project: ProjectAccess, review: Review, command: CloseReview, actor: Actor
) -> tuple[ReviewEvent, ...]:
    _require_known(review, command.project_id)
    if actor.id != review.author_id:
        require(project, actor, "review.close_others")
    if review.closed:
        return ()
    return (ReviewClosed(project_id=command.project_id, review_id=command.review_id),)


def _require_known(review: Review, project_id: str) -> None:
    if not review.exists or review.project_id != project_id:
        raise NotFoundError("the project has no such review", code="review_not_found")


def _require_open(review: Review, project_id: str) -> None:
    _require_known(review, project_id)
    if review.closed:
        raise ConflictError("the review is closed", code="review_closed")
