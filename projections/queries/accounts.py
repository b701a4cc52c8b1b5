"""Accounts, as others and as they themselves see them."""

from domain.actor import Actor
from domain.errors import NotFoundError
from projections.queries.people import ACCOUNTS
from projections.store import DocumentStore
from projections.writes import Document

_PUBLIC = ("id", "name", "createdAt", "version")


class AccountQueries:
    """Find accounts."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def get(self, account_id: str, actor: Actor) -> Document:
        """Return an account: all of it for itself and administrators, its name for others; raises NotFoundError."""
        account = self.get_own(account_id)
        if actor.is_admin or actor.id == account_id:
            return account
        return {name: account[name] for name in _PUBLIC}

    def get_own(self, account_id: str) -> Document:
        """Return all of an account; raises NotFoundError."""
        account = self._store.get(ACCOUNTS, account_id)
        if account is None or account.get("erased"):
            raise NotFoundError(f"there is no account {account_id}", code="account_not_found")
        return account
