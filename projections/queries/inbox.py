"""The notifications of an account, and announcements to everybody."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.models.accounts import ACCOUNTS
from projections.models.announcements import ANNOUNCEMENTS
from projections.models.notifications import INBOXES, NOTIFICATIONS, READ, REMOVED
from projections.models.reviews import REVIEWS
from projections.queries import notification_texts
from projections.queries.access import is_seen, visible_projects
from projections.queries.page import Page, PageRequest, read_page
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document

_SCANNED = 1_000
_CHUNK = 100


class InboxQueries:
    """Find notifications and announcements."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def notifications(self, page: PageRequest, actor: Actor, *, unread: bool | None) -> Page:
        """Return a page of the actor's notifications, newest first, with *unread* only those unread, or read.

        The number of notifications that are looked at is bounded: a page with few items, or none, may have a
        cursor for the next page.
        """
        through = (self._store.get(INBOXES, actor.id) or {"readThrough": ""})["readThrough"]
        chosen: list[Document] = []
        scanned, chunk = 0, PageRequest(limit=page.limit, cursor=page.cursor)
        while True:
            batch = read_page(self._store, _notifications_of(actor), chunk, filters=f"unread={unread}")
            shown = self._shown(self._seen(batch.items, actor), through)
            for notification in shown:
                if unread is None or notification["read"] is not unread:
                    if len(chosen) == page.limit:  # there is another one for the next page
                        last = chosen[-1]
                        cursor = batch.cursor(last["createdAt"], last["id"])
                        return _page(batch, self._described(chosen, actor), cursor)
                    chosen.append(notification)
            scanned += len(batch.items)
            if batch.next_cursor is None or (unread and batch.items[-1]["createdAt"] <= through):
                return _page(batch, self._described(chosen, actor), None)  # all older ones were read at once
            if unread is None or scanned >= _SCANNED:
                return _page(batch, self._described(chosen, actor), batch.next_cursor)
            chunk = PageRequest(limit=_CHUNK, cursor=batch.next_cursor)

    def _seen(self, notifications: list[Document], actor: Actor) -> list[Document]:
        """Return the notifications of projects that *actor* may see, and those that say why they may not."""
        project_ids = list({notification["projectId"] for notification in notifications})
        visible = visible_projects(self._store, project_ids, actor)
        return [
            notification
            for notification in notifications
            if notification["projectId"] in visible or notification["kind"] == REMOVED
        ]

    def _shown(self, notifications: list[Document], through: str) -> list[Document]:
        """Add to each notification whether it was read: by itself, or with all that there were at a time."""
        ids = [notification["id"] for notification in notifications]
        read = self._store.get_many(READ, ids)
        return [
            {
                **{name: value for name, value in notification.items() if name != "accountId"},
                "read": notification["id"] in read or notification["createdAt"] <= through,
            }
            for notification in notifications
        ]

    def _described(self, notifications: list[Document], actor: Actor) -> list[Document]:
        """Add to each notification what a person reads of it: its title, its project and where it leads.

        They are those of now: a name that its person had erased is not shown, nor that of a hidden project.
        """
        projects = visible_projects(self._store, _named(notifications, "projectId"), actor)
        reviews = self._store.get_many(REVIEWS, _named(notifications, "reviewId"))
        accounts = self._store.get_many(ACCOUNTS, _named(notifications, "actorId"))
        return [
            {
                **notification,
                **notification_texts.texts_of(
                    notification,
                    project := projects.get(notification["projectId"]),
                    _seen_review(reviews.get(notification["reviewId"] or ""), project, actor),
                    accounts.get(notification["actorId"]),
                ),
            }
            for notification in notifications
        ]

    def announcements(self, page: PageRequest) -> Page:
        """Return a page of announcements, newest first."""
        query = Query(collection=ANNOUNCEMENTS, sort="createdAt", descending=True)
        return read_page(self._store, query, page)

    def announcements_of(self, ids: Sequence[str]) -> dict[str, Document]:
        """Return the announcements that exist, by id."""
        return self._store.get_many(ANNOUNCEMENTS, ids)

    def announcement(self, announcement_id: str) -> Document:
        """Return an announcement; raises NotFoundError."""
        announcement = self._store.get(ANNOUNCEMENTS, announcement_id)
        if announcement is None:
            raise NotFoundError(f"there is no announcement {announcement_id}", code="announcement_not_found")
        return announcement


def _seen_review(review: Document | None, project: Document | None, actor: Actor) -> Document | None:
    """Return the review, None where it was written while *actor* could not see the project."""
    if review is None or project is None or not is_seen(project, actor, review):
        return None
    return review


def _named(notifications: list[Document], field: str) -> list[str]:
    """Return the ids that *notifications* have in this field, each once."""
    return list(dict.fromkeys(id_ for each in notifications if (id_ := each[field]) is not None))


def _page(batch: Page, chosen: list[Document], next_cursor: str | None) -> Page:
    return Page(items=chosen, next_cursor=next_cursor, list_id=batch.list_id)


def _notifications_of(actor: Actor) -> Query:
    where = (Equals("accountId", actor.id),)
    return Query(collection=NOTIFICATIONS, where=where, sort="createdAt", descending=True)
