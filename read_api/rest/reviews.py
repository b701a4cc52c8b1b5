"""`/projects/{id}/reviews`."""

from commands.table.fields import NoInput
from commands.table.reviews import (
    CommentCommand,
    CommentInput,
    DecisionCommand,
    DecisionInput,
    ReviewInput,
    ReviewReference,
)
from read_api.contract.past import ask
from read_api.contract.queries import AsOfQuery, PastListQuery
from read_api.contract.views import ListedReview, ListOf, ReviewView
from read_api.gateway.answers import Answer, document_answer, page_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations
from read_api.rest.changes import change
from read_api.rest.projects import PROJECT

REVIEWS = PROJECT + "/reviews"
REVIEW = REVIEWS + "/{review_id:str}"

operation = Operations("Reviews")


@operation("GET", REVIEWS, "project.read", query=PastListQuery, output=ListOf[ListedReview])
async def list_reviews(call: Call, query: PastListQuery) -> Answer:
    """List a project's reviews, the newest first."""
    project_id, actor = call.path["project_id"], call.actor
    page = await ask(call, project_id, query.as_of, lambda q: q.reviews.page(project_id, query.page(), actor))
    return page_answer(call, f"/api/v1/projects/{project_id}/reviews", page, query.fields)


@operation("POST", REVIEWS, "review.open", input=ReviewInput, output=ReviewView, status=201, command=True)
async def open_review(call: Call, data: ReviewInput) -> Answer:
    """Open a review."""
    return await change(call, data, created="reviews")


@operation("GET", REVIEW, "project.read", query=AsOfQuery, output=ReviewView, conditional=True)
async def get_review(call: Call, query: AsOfQuery) -> Answer:
    """Get a review with its comments, as it is now or as it was at a time or position."""
    project_id, review_id, actor = call.path["project_id"], call.path["review_id"], call.actor
    review = await ask(call, project_id, query.as_of, lambda q: q.reviews.get(project_id, review_id, actor))
    return document_answer(call, review)


@operation(
    "POST",
    REVIEW + "/comments",
    "review.comment",
    input=CommentInput,
    output=ReviewView,
    status=201,
    command=True,
)
async def comment_review(call: Call, data: CommentInput) -> Answer:
    """Comment on a review; `@name` mentions an account."""
    review_id = call.path["review_id"]
    comment = CommentCommand(review_id=review_id, text=data.text, path=data.path, line=data.line)
    return await change(call, comment, created="reviews")


@operation(
    "POST", REVIEW + "/decision", "review.decide", input=DecisionInput, output=ReviewView, command=True
)
async def decide_review(call: Call, data: DecisionInput) -> Answer:
    """Approve a review's change, or request another."""
    review_id = call.path["review_id"]
    decision = DecisionCommand(review_id=review_id, decision=data.decision, text=data.text)
    return await change(call, decision)


@operation(
    "POST",
    REVIEW + "/close",
    "review.close",
    input=NoInput,
    output=ReviewView,
    optional_body=True,
    command=True,
)
async def close_review(call: Call, _: NoInput) -> Answer:
    """Close a review."""
    return await change(call, ReviewReference(review_id=call.path["review_id"]))
