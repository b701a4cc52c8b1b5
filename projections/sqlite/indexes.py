"""Choose the index that serves a query, so that plans do not depend on SQLite's current statistics."""

from collections.abc import Sequence
from functools import lru_cache

from projections.sqlite.schema import Table
from projections.store import Above, Condition, Equals, StartsWith


def best_index(table: Table, conditions: Sequence[Condition], sort: str | None) -> str | None:
    """Return the index with the most leading fields fixed by *conditions*; None where no index helps.

    Of equal ones, an index in the order of *sort* comes first, then the one declared first. A sparse index
    helps only where a condition leaves out the documents that it does not hold.
    """
    fixed = frozenset(condition.field for condition in conditions if isinstance(condition, Equals))
    indexes = table.collection.indexes
    if sparse := table.collection.sparse:
        compared = {field for condition in conditions if (field := _compared_field(condition)) is not None}
        indexes += tuple(fields for fields in sparse if fields[-1] in compared)
    fields = _best_fields(indexes, fixed, sort)
    return None if fields is None else table.index_name(fields)


def _compared_field(condition: Condition) -> str | None:
    """Return the field that *condition* compares with a value, so that SQLite knows it is not null."""
    match condition:
        case Equals(value=None) | StartsWith(prefix=""):
            return None
        case Equals(field=field) | Above(field=field) | StartsWith(field=field):
            return field
        case _:
            return None


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
