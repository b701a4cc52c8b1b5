"""`/projects/{id}/reviews`."""

from commands.table import reviews as inputs
from commands.table.fields import NoInput
from read_api.contract.lists import ListQuery, listed
from read_api.contract.views import ListedReview, ListOf, ReviewView
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations
from read_api.rest.changing import Show, change
from read_api.rest.projects import PROJECT

REVIEWS = PROJECT + "/reviews"
REVIEW = REVIEWS + "/{review_id:str}"

operation = Operations("Reviews")


@operation("GET", REVIEWS, "project.read", query=ListQuery, output=ListOf[ListedReview])
async def list_reviews(call: Call, query: ListQuery) -> Answer:
    """List the reviews of a project, the newest first."""
    project_id, actor = call.path["project_id"], call.actor
    page = await call.read(lambda q: q.reviews.page(project_id, query.page(), actor))
    return listed(call, f"/api/v1/projects/{project_id}/reviews", page, query.fields)


@operation(
    "POST", REVIEWS, "review.open", input=inputs.ReviewInput, output=ReviewView, status=201, command=True
)
async def open_review(call: Call, data: inputs.ReviewInput) -> Answer:
    """Ask for a review."""
    return await change(call, "review.open", data, _show(call), created="reviews")


@operation("GET", REVIEW, "project.read", output=ReviewView, conditional=True)
async def get_review(call: Call) -> Answer:
    """Show a review with its comments."""
    project_id, review_id, actor = call.path["project_id"], call.path["review_id"], call.actor
    found = await call.read(lambda q: q.reviews.get(project_id, review_id, actor))
    return call.shown(found, found["version"])


@operation(
    "POST",
    REVIEW + "/comments",
    "review.comment",
    input=inputs.CommentInput,
    output=ReviewView,
    status=201,
    command=True,
)
async def comment_review(call: Call, data: inputs.CommentInput) -> Answer:
    """Comment on a review; `@name` mentions somebody."""
    body = inputs.CommentCommand(
        review_id=call.path["review_id"], text=data.text, path=data.path, line=data.line
    )
    return await change(call, "review.comment", body, _show(call), created="reviews")


@operation(
    "POST", REVIEW + "/decision", "review.decide", input=inputs.DecisionInput, output=ReviewView, command=True
)
async def decide_review(call: Call, data: inputs.DecisionInput) -> Answer:
    """Approve the change, or ask for another."""
    body = inputs.DecisionCommand(review_id=call.path["review_id"], decision=data.decision, text=data.text)
    return await change(call, "review.decide", body, _show(call))


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
    """End a review."""
    body = inputs.ReviewReference(review_id=call.path["review_id"])
    return await change(call, "review.close", body, _show(call))


def _show(call: Call) -> Show:
    project_id, actor = call.path["project_id"], call.actor
    return lambda queries, review_id: queries.reviews.get(project_id, review_id, actor)
