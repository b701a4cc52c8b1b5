"""Choose the index that serves a query, so that plans do not depend on SQLite's current statistics."""

from collections.abc import Sequence
from functools import lru_cache

from projections.sqlite.schema import Table
from projections.store import Condition, Equals


def best_index(table: Table, conditions: Sequence[Condition], sort: str | None) -> str | None:
    """Return the index with the most leading fields fixed by *conditions*; None where no index helps.

    Of equal ones, an index in the order of *sort* comes first, then the one declared first.
    """
    fixed = frozenset(condition.field for condition in conditions if isinstance(condition, Equals))
    fields = _best_fields(table.collection.indexes, fixed, sort)
    return None if fields is None else table.index_name(fields)


@lru_cache(maxsize=1_024)  # the queries of a program are of few kinds
def _best_fields(
    indexes: tuple[tuple[str, ...], ...], fixed: frozenset[str], sort: str | None
) -> tuple[str, ...] | None:
    best, best_score = None, (0, False)
    for fields in indexes:
        score = _score(fields, fixed, sort)
        if score > best_score:
            best, best_score = fields, score
    return best


def sums_index(table: Table, conditions: Sequence[Condition], fields: Sequence[str]) -> str | None:
    """Return the index that has all that the totals of *fields* need, None where there is none."""
    fixed = [condition.field for condition in conditions if isinstance(condition, Equals)]
    if len(fixed) < len(conditions):
        return None
    wanted = (*fixed, *fields)
    return table.index_name(wanted) if wanted in table.collection.sums else None


def _score(fields: tuple[str, ...], fixed: frozenset[str], sort: str | None) -> tuple[int, bool]:
    leading = 0
    for field in fields:
        if field not in fixed:
            break
        leading += 1
    following = fields[leading] if leading < len(fields) else "id"
    return leading, following == sort
