"""What an account may be signed in to with: its sessions and its API tokens."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.page import Page, PageRequest, read_page
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document


class SecurityQueries:
    """Find an account's sessions and API tokens, for itself."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def sessions(self, page: PageRequest, actor: Actor) -> Page:
        """Return a page of the actor's sessions, the newest first; some may have ended with all others."""
        return self._page("sessions", page, actor)

    def tokens(self, page: PageRequest, actor: Actor) -> Page:
        """Return a page of the actor's API tokens, the newest first."""
        return self._page("tokens", page, actor)

    def token(self, token_id: str, actor: Actor) -> Document:
        """Return one of the actor's API tokens; raises NotFoundError."""
        found = self._store.get("tokens", token_id)
        if found is None or found["accountId"] != actor.id:
            raise NotFoundError("there is no such token", code="token_not_found")
        return _without_account(found)

    def _page(self, collection: str, page: PageRequest, actor: Actor) -> Page:
        where = (Equals("accountId", actor.id),)
        query = Query(collection=collection, where=where, sort="createdAt", descending=True)
        found = read_page(self._store, query, page)
        return Page(items=[_without_account(item) for item in found.items], next_cursor=found.next_cursor)


def _without_account(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "accountId"}
