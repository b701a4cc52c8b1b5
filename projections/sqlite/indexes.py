"""Which index serves a query. The choice is ours, so that plans do not hang on statistics of the moment."""

from collections.abc import Sequence

from projections.sqlite.schema import Table
from projections.store import Condition, Equals


def best_index(table: Table, conditions: Sequence[Condition], sort: str | None) -> str | None:
    """Return the index that fixes most leading fields, then one in the order of *sort*, then the first declared."""
    fixed = {condition.field for condition in conditions if isinstance(condition, Equals)}
    best, best_score = None, (0, False)
    for fields in table.collection.indexes:
        score = _score(fields, fixed, sort)
        if score > best_score:
            best, best_score = table.index_name(fields), score
    return best


def _score(fields: tuple[str, ...], fixed: set[str], sort: str | None) -> tuple[int, bool]:
    leading = 0
    for field in fields:
        if field not in fixed:
            break
        leading += 1
    following = fields[leading] if leading < len(fields) else "id"
    return leading, following == sort
