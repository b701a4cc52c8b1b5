"""The names of accounts."""

from collections.abc import Iterable

from projections.models.accounts import ACCOUNTS
from projections.store import DocumentStore


def names_of(store: DocumentStore, ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each id; the name of a service, or of an account that does not exist, is its id."""
    wanted = list(ids)
    account_ids = [id_ for id_ in wanted if ":" not in id_]
    accounts = store.get_many(ACCOUNTS, account_ids) if account_ids else {}
    return {id_: accounts[id_]["name"] if id_ in accounts else id_ for id_ in wanted}
