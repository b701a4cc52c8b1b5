"""Notifications of accounts, those that were read individually, and the time through which all were read.

Notifications come from projects, and reading them from the account's inbox: two homes, which may be in two
partitions. A document is written by events of one home only. Therefore what was read is stored apart, and
queries join the two. A sequence of one partition means nothing in another, so that all are read through a
time.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.event import Event
from domain.inbox.events import NotificationsRead
from domain.project.events import CollaboratorAdded, CollaboratorRemoved
from domain.record import Record
from domain.review.events import ReviewCommented, ReviewDecided, ReviewOpened
from domain.times import rfc3339
from projections.model import Collection
from projections.models.dispatch import read_model
from projections.writes import Put, Write

NOTIFICATIONS = "notifications"
INBOXES = "inboxes"
READ = "read_notifications"
REMOVED = "collaborator_removed"
"""The kind of notification that is about a project which the account may no longer see."""


def _opened(event: ReviewOpened) -> Mapping[str, str]:
    return dict.fromkeys(event.mentions, "mentioned")


def _commented(event: ReviewCommented) -> Mapping[str, str]:
    """Notify the review's author and mentioned accounts; a mentioned author gets the mention alone."""
    return {event.review_author_id: "review_commented", **dict.fromkeys(event.mentions, "mentioned")}


_KINDS: Mapping[type[Event], Callable[[Any], Mapping[str, str]]] = {
    CollaboratorAdded: lambda event: {event.account_id: "collaborator_added"},
    CollaboratorRemoved: lambda event: {event.account_id: REMOVED},
    ReviewOpened: _opened,
    ReviewCommented: _commented,
    ReviewDecided: lambda event: {event.review_author_id: "review_decided"},
}
"""From an event to the accounts that it concerns, each with the kind of its notification."""

NOTIFYING = frozenset(event.TOPIC for event in _KINDS)
"""The topics of the events that notify somebody."""


def notified(event: Event, actor: str) -> dict[str, str]:
    """Return the accounts that *event* notifies, with the kind of notification; never its actor."""
    kinds = _KINDS[type(event)](event)
    return {account: kind for account, kind in kinds.items() if account != actor}


def _notify(event: Event, record: Record) -> Iterable[Write]:
    project_id: str = event.project_id  # type: ignore[attr-defined] # each event of _KINDS has one
    review_id = getattr(event, "review_id", None)
    return [
        _notification(account, kind, project_id, review_id, record)
        for account, kind in notified(event, record.actor).items()
    ]


def _read(event: NotificationsRead, record: Record) -> Iterable[Write]:
    if event.ids is None:
        inbox = {"id": event.account_id, "readThrough": rfc3339(record.occurred_at)}
        return (Put(INBOXES, event.account_id, inbox),)
    own = f":{event.account_id}"  # an account marks only its own notifications as read
    return [
        Put(READ, id_, {"id": id_, "accountId": event.account_id})
        for id_ in dict.fromkeys(event.ids)
        if id_.endswith(own)
    ]


def _notification(account: str, kind: str, project_id: str, review_id: str | None, record: Record) -> Write:
    id_ = f"{record.id}:{account}".replace("/", "-")
    document = {
        "id": id_,
        "accountId": account,
        "kind": kind,
        "projectId": project_id,
        "reviewId": review_id,
        "actorId": record.actor,
        "createdAt": rfc3339(record.occurred_at),
    }
    return Put(NOTIFICATIONS, id_, document)


MODEL = read_model(
    NOTIFICATIONS,
    {
        **dict.fromkeys(_KINDS, _notify),
        NotificationsRead: _read,
    },
    Collection(name=NOTIFICATIONS, indexes=(("accountId", "createdAt"),)),
    Collection(name=INBOXES),
    Collection(name=READ),
    version=2,
)
