"""Notifications of an account, and announcements to all."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.page import Page, PageRequest, read_page
from projections.store import Condition, DocumentStore, Equals, Query
from projections.writes import Document


class InboxQueries:
    """Find what an account is told."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def notifications(self, page: PageRequest, actor: Actor, *, unread: bool | None) -> Page:
        """Return a page of the actor's notifications, the newest first; *unread* picks those not read, or read."""
        through = (self._store.get("inboxes", actor.id) or {"readThrough": 0})["readThrough"]
        where: tuple[Condition, ...] = (Equals("accountId", actor.id),)
        if unread is not None:
            where = (*where, Equals("read", not unread))
        query = Query(collection="notifications", where=where, sort="sequence", descending=True)
        found = read_page(self._store, query, page)
        items = [_shown(item, through) for item in found.items]
        if unread:
            items = [item for item in items if not item["read"]]
            if len(items) < len(found.items):  # what is older has been read all at once
                return Page(items=items, next_cursor=None)
        return Page(items=items, next_cursor=found.next_cursor)

    def announcements(self, page: PageRequest) -> Page:
        """Return a page of announcements, the newest first."""
        query = Query(collection="announcements", sort="createdAt", descending=True)
        return read_page(self._store, query, page)

    def announcement(self, announcement_id: str) -> Document:
        """Return an announcement; raises NotFoundError."""
        found = self._store.get("announcements", announcement_id)
        if found is None:
            raise NotFoundError(f"there is no announcement {announcement_id}", code="announcement_not_found")
        return found


def _shown(item: Document, through: int) -> Document:
    shown = {name: value for name, value in item.items() if name not in ("accountId", "sequence")}
    return {**shown, "read": item["read"] or item["sequence"] <= through}
