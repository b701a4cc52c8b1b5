"""The names of accounts."""

from collections.abc import Iterable

from projections.store import DocumentStore

ACCOUNTS = "accounts"


def names_of(store: DocumentStore, ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each id; a service or an account that is gone stands under its id."""
    wanted = list(ids)
    accounts = [id_ for id_ in wanted if ":" not in id_]
    found = store.get_many(ACCOUNTS, accounts) if accounts else {}
    return {id_: found[id_]["name"] if id_ in found else id_ for id_ in wanted}
