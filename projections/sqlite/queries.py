"""Queries as SQL: each scope is one SELECT that an index serves, in order and with its limit."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from projections.sqlite.conditions import Clause, FieldCondition, clause, search
from projections.sqlite.indexes import best_index
from projections.sqlite.schema import Table, expression
from projections.store import Condition, Equals, Matches, Query
from projections.writes import Document


def selects(table: Table, query: Query, scope: Sequence[Condition]) -> Iterator[Clause]:
    """Yield the SELECTs of `body` that give one scope's documents in order; a later one only where more are needed.

    Null sorts below everything, as in MongoDB. A page that goes on behind a value takes the nulls from a SELECT of
    their own, so that each one is a range of an index.
    """
    conditions = (*query.where, *scope)
    if any(isinstance(condition, Matches) and search(condition.text) is None for condition in conditions):
        return
    for part, order in _parts(query, with_nulls=not _excludes_null(conditions, query.sort)):
        yield _select(table, query, conditions, part, order)


def _excludes_null(conditions: Iterable[Condition], field: str) -> bool:
    """Tell whether *conditions* hold for no document where *field* is null."""
    return any(
        not isinstance(condition, Matches) and condition.field == field and condition != Equals(field, None)
        for condition in conditions
    )


def _parts(query: Query, *, with_nulls: bool) -> list[tuple[Clause, str]]:
    """Return the ranges of the order that a page may lie in, each with what it is ordered by before the id."""
    sort = "" if query.sort == "id" else expression(query.sort, "d.")
    if query.after is None:
        return [(("", []), sort)]
    value, last = query.after
    sign = "<" if query.descending else ">"
    if not sort:
        return [((f"d.id {sign} ?", [last]), "")]
    if value is None:
        rest: Clause = (f"{sort} IS NULL AND d.id {sign} ?", [last])
        return [(rest, "")] if query.descending else [(rest, ""), ((f"{sort} IS NOT NULL", []), sort)]
    behind = f"{sort} {sign}= ? AND ({sort} {sign} ? OR d.id {sign} ?)"
    page: Clause = (behind, [value, value, last])
    nulls: Clause = (f"{sort} IS NULL", [])
    return [(page, sort), (nulls, "")] if query.descending and with_nulls else [(page, sort)]


def totals(table: Table, where: Sequence[Condition], fields: Sequence[str]) -> Clause:
    """Return the SELECT of the number of documents and the sums of *fields*."""
    chosen, params = _chosen(table, where, None)
    sums = [f"coalesce(sum({expression(field, 'd.')}), 0)" for field in fields]
    return f"SELECT {', '.join(['count(*)', *sums])} {chosen}", params


def _select(table: Table, query: Query, conditions: Sequence[Condition], part: Clause, sort: str) -> Clause:
    chosen, params = _chosen(table, conditions, query.sort)
    behind, values = part
    direction = "DESC" if query.descending else "ASC"
    order = f"{sort} {direction}, d.id {direction}" if sort else f"d.id {direction}"
    if behind:
        chosen = f"{chosen} AND {behind}"
    return f"SELECT d.body AS body {chosen} ORDER BY {order} LIMIT ?", [*params, *values, query.limit]


def _chosen(table: Table, conditions: Sequence[Condition], sort: str | None) -> Clause:
    """Return FROM and WHERE."""
    (source, params), driver = _source(table, conditions, sort)
    wheres: list[Clause] = [("d.body IS NOT NULL", [])]
    if isinstance(driver, Matches):
        wheres.append((f"{table.text} MATCH ?", [search(driver.text)]))
    wheres += [_where(table, condition) for condition in conditions if condition is not driver]
    where = " AND ".join(text for text, _ in wheres)
    return f"FROM {source} WHERE {where}", params + [value for _, values in wheres for value in values]


def _source(
    table: Table, conditions: Sequence[Condition], sort: str | None
) -> tuple[Clause, Condition | None]:
    """Return where to begin: CROSS JOIN holds the planner to a search or a list's side table before the documents."""
    for condition in conditions:
        if isinstance(condition, Matches):
            if table.text is None:
                raise ValueError(f"{table.collection.name} has no text search")
            return (
                f"{table.text} CROSS JOIN {table.name} AS d ON d.number = {table.text}.rowid",
                [],
            ), condition
    for condition in conditions:
        if not isinstance(condition, Matches) and condition.field in table.sides:
            inner, params = _side(table, condition, conditions)
            return (f"({inner}) AS k CROSS JOIN {table.name} AS d ON d.id = k.id", params), condition
    index = best_index(table, conditions, sort)
    return (f"{table.name} AS d" if index is None else f"{table.name} AS d INDEXED BY {index}", []), None


def _side(table: Table, condition: FieldCondition, conditions: Sequence[Condition]) -> Clause:
    """Select the ids whose list meets *condition*; what the others say of the id narrows the range."""
    clauses = [clause(condition, "value")]
    clauses += [
        clause(other, "id") for other in conditions if not isinstance(other, Matches) and other.field == "id"
    ]
    distinct = "" if isinstance(condition, Equals) else "DISTINCT "
    where = " AND ".join(text for text, _ in clauses)
    params = [value for _, values in clauses for value in values]
    return f"SELECT {distinct}id FROM {table.sides[condition.field]} WHERE {where}", params  # noqa: S608 # names are ours, values are parameters


def _where(table: Table, condition: Condition) -> Clause:
    if isinstance(condition, Matches):
        text = f"d.number IN (SELECT rowid FROM {table.text} WHERE {table.text} MATCH ?)"  # noqa: S608 # names are ours, values are parameters
        return text, [search(condition.text)]
    if condition.field in table.sides:
        inner, params = _side(table, condition, ())
        return f"d.id IN ({inner})", params
    return clause(condition, expression(condition.field, "d."))


def merge(pages: Iterable[Sequence[Document]], query: Query) -> list[Document]:
    """Return the first documents of all scopes together, each once."""
    found = {document["id"]: document for page in pages for document in page}
    ordered = sorted(
        found.values(), key=lambda document: _key(document, query.sort), reverse=query.descending
    )
    return ordered[: query.limit]


def _key(document: Document, field: str) -> tuple[Any, ...]:
    """Order as SQLite does: null, numbers, texts; then by id."""
    value: Any = document
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return 0, 0, document["id"]
    return (2 if isinstance(value, str) else 1), value, document["id"]
