"""The sessions and API tokens of an account."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.models.sessions import SESSIONS
from projections.models.tokens import TOKENS
from projections.queries.page import Page, PageRequest, read_page
from projections.store import DocumentStore, Equals, Query
from projections.writes import Document


class SecurityQueries:
    """Find an account's sessions and API tokens, for its owner."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def sessions(self, page: PageRequest, actor: Actor) -> Page:
        """Return a page of the actor's sessions, newest first; ending all at once leaves them here."""
        return self._page(SESSIONS, page, actor)

    def tokens(self, page: PageRequest, actor: Actor) -> Page:
        """Return a page of the actor's API tokens, newest first."""
        return self._page(TOKENS, page, actor)

    def token(self, token_id: str, actor: Actor) -> Document:
        """Return one of the actor's API tokens; raises NotFoundError."""
        token = self._store.get(TOKENS, token_id)
        if token is None or token["accountId"] != actor.id:
            raise NotFoundError("there is no such token", code="token_not_found")
        return _without_account(token)

    def _page(self, collection: str, page: PageRequest, actor: Actor) -> Page:
        where = (Equals("accountId", actor.id),)
        query = Query(collection=collection, where=where, sort="createdAt", descending=True)
        documents = read_page(self._store, query, page)
        return documents.with_items([_without_account(document) for document in documents.items])


def _without_account(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "accountId"}
