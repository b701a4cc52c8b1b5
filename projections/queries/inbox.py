"""Notifications of an account, and announcements to all."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.page import Page, PageRequest, encode_cursor, read_page
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document

_SCANNED = 1_000
_CHUNK = 100


class InboxQueries:
    """Find what an account is told."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def notifications(self, page: PageRequest, actor: Actor, *, unread: bool | None) -> Page:
        """Return a page of the actor's notifications, the newest first; *unread* picks those not read, or read.

        How many are looked at is bounded: a page with few items, or none, may have a cursor that leads on.
        """
        through = (self._store.get("inboxes", actor.id) or {"readThrough": ""})["readThrough"]
        found: list[Document] = []
        scanned, part = 0, PageRequest(limit=page.limit, cursor=page.cursor)
        while True:
            batch = read_page(self._store, _notifications_of(actor), part)
            shown = self._shown(batch.items, through)
            for item in shown:
                if unread is None or item["read"] is not unread:
                    if len(found) == page.limit:  # there is one more
                        last = found[-1]
                        return Page(items=found, next_cursor=encode_cursor(last["createdAt"], last["id"]))
                    found.append(item)
            scanned += len(shown)
            if batch.next_cursor is None or (unread and shown[-1]["createdAt"] <= through):
                return Page(items=found, next_cursor=None)  # what is older has been read all at once
            if unread is None or scanned >= _SCANNED:
                return Page(items=found, next_cursor=batch.next_cursor)
            part = PageRequest(limit=_CHUNK, cursor=batch.next_cursor)

    def _shown(self, notifications: list[Document], through: str) -> list[Document]:
        """Tell of each whether it was read: for itself, or with all that were there at a time."""
        read = self._store.get_many("read_notifications", [item["id"] for item in notifications])
        return [
            {
                **{name: value for name, value in item.items() if name != "accountId"},
                "read": item["id"] in read or item["createdAt"] <= through,
            }
            for item in notifications
        ]

    def announcements(self, page: PageRequest) -> Page:
        """Return a page of announcements, the newest first."""
        query = Query(collection="announcements", sort="createdAt", descending=True)
        return read_page(self._store, query, page)

    def announcements_of(self, ids: Sequence[str]) -> dict[str, Document]:
        """Return those announcements that exist."""
        return self._store.get_many("announcements", ids)

    def announcement(self, announcement_id: str) -> Document:
        """Return an announcement; raises NotFoundError."""
        found = self._store.get("announcements", announcement_id)
        if found is None:
            raise NotFoundError(f"there is no announcement {announcement_id}", code="announcement_not_found")
        return found


def _notifications_of(actor: Actor) -> Query:
    where = (Equals("accountId", actor.id),)
    return Query(collection="notifications", where=where, sort="createdAt", descending=True)
