"""What a person reads of a notification: a title, its project, and the path of what it is about."""

from collections.abc import Callable, Mapping

from projections.writes import Document

_NOBODY = "Somebody"


def _review(review: Document | None) -> str:
    return "a review" if review is None else f"the review “{review['title']}”"


_TITLES: Mapping[str, Callable[[str, str, str], str]] = {
    "collaborator_added": lambda who, project, _: f"{who} added you to {project}",
    "collaborator_removed": lambda who, project, _: f"{who} removed you from {project}",
    "mentioned": lambda who, _, review: f"{who} mentioned you in {review}",
    "review_commented": lambda who, _, review: f"{who} commented on {review}",
    "review_decided": lambda who, _, review: f"{who} decided about {review}",
}
"""By the kind of notification: from who caused it, the project and the review."""

KINDS = tuple(_TITLES)
"""Every kind of notification."""


def texts_of(
    notification: Document, project: Document | None, review: Document | None, actor: Document | None
) -> Document:
    """Return the title, project and link of a notification.

    *project* is None where the account may not see it, *review* and *actor* where they do not exist.
    """
    who = _NOBODY if actor is None else actor["name"]
    if project is None:
        title = _TITLES[notification["kind"]](who, "a project", "a review")
        return {"title": title, "project": None, "link": None}
    link = f"/api/v1/projects/{project['id']}"
    if notification["reviewId"] is not None:
        link += f"/reviews/{notification['reviewId']}"
    return {
        "title": _TITLES[notification["kind"]](who, project["name"], _review(review)),
        "project": {"id": project["id"], "name": project["name"]},
        "link": link,
    }
