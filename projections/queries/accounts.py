"""Accounts, as their owners and as others see them."""

from collections.abc import Sequence

from domain.actor import Actor
from domain.addresses import address_key
from domain.errors import NotFoundError
from projections.models.accounts import ACCOUNTS, SEARCHED
from projections.queries.page import Page, PageRequest, read_page
from projections.store import Condition, DocumentStore, Query, StartsWith
from projections.writes import Document

_PUBLIC = ("id", "name", "createdAt", "version")


class AccountQueries:
    """Find accounts."""

    def __init__(self, store: DocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def get(self, account_id: str, actor: Actor) -> Document:
        """Return an account: all fields for its owner and administrators, else the public ones.

        Raises NotFoundError.
        """
        return _as_seen(self.get_own(account_id), actor)

    def many(self, account_ids: Sequence[str], actor: Actor) -> dict[str, Document]:
        """Return the accounts that exist, as *actor* sees them; of an erased one, id and a placeholder."""
        accounts = self._store.get_many(ACCOUNTS, account_ids)
        return {id_: _as_seen(account, actor) for id_, account in accounts.items()}

    def get_own(self, account_id: str) -> Document:
        """Return all fields of an account; raises NotFoundError."""
        account = self._store.get(ACCOUNTS, account_id)
        if account is None or account.get("erased"):
            by_name = ": find it by its name" if account_id.startswith("@") else ""
            raise NotFoundError(f"there is no account {account_id}{by_name}", code="account_not_found")
        return _shown(account)

    def page(self, page: PageRequest, search: str | None) -> Page:
        """Return a page of all accounts, newest first, whose name or address begins with *search*.

        For administrators alone.
        """
        scopes: tuple[tuple[Condition, ...], ...] = ()
        if search is not None:
            prefixes = (search.strip().lower(), address_key(search))
            scopes = tuple(
                (StartsWith(f"{field}.key", prefix),)
                for field, prefix in zip(SEARCHED, prefixes, strict=True)
            )
        query = Query(collection=ACCOUNTS, scopes=scopes, sort="createdAt", descending=True)
        documents = read_page(self._store, query, page)
        return Page(
            items=[_listed(account) for account in documents.items], next_cursor=documents.next_cursor
        )


def _listed(account: Document) -> Document:
    """Return an account for administrators; of an erased one, what is left."""
    if account.get("erased"):
        return {name: account[name] for name in _PUBLIC}
    return _shown(account)


def _shown(account: Document) -> Document:
    return {name: value for name, value in account.items() if name not in SEARCHED}


def _as_seen(account: Document, actor: Actor) -> Document:
    if account.get("erased"):
        return {"id": account["id"], "name": account["name"]}
    if actor.is_admin or actor.id == account["id"]:
        return _shown(account)
    return {name: account[name] for name in _PUBLIC}
