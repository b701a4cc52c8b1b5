"""Queries as SQL: each scope is one SELECT that an index serves, in order and with its limit."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from projections.sqlite.conditions import Clause, FieldCondition, clause, search
from projections.sqlite.indexes import best_index, sums_index
from projections.sqlite.schema import Table, expression
from projections.store import Condition, CutShort, Equals, Matches, Query
from projections.writes import Document

# The names in these statements are checked where a Table is made; values are parameters.


def selects(table: Table, query: Query, scope: Sequence[Condition]) -> Iterator[Clause]:
    """Yield the SELECTs of `body` that return one scope's documents in order.

    A later SELECT is only needed if the earlier ones return too few documents. Null sorts below everything,
    as in MongoDB. A page that continues after a value reads the nulls with a SELECT of their own, so that
    each SELECT is one range of an index.
    """
    conditions = (*query.where, *scope)
    if any(isinstance(condition, Matches) and search(condition.text) is None for condition in conditions):
        return
    for page_range, order in _ranges(query, with_nulls=not _excludes_null(conditions, query.sort)):
        yield _select(table, query, conditions, page_range, order)


def _excludes_null(conditions: Iterable[Condition], field: str) -> bool:
    """Return whether *conditions* exclude every document in which *field* is null."""
    return any(
        not isinstance(condition, Matches) and condition.field == field and condition != Equals(field, None)
        for condition in conditions
    )


def _ranges(query: Query, *, with_nulls: bool) -> list[tuple[Clause, str]]:
    """Return the ranges that follow the cursor, each with its ORDER BY expression."""
    sort = "" if query.sort == "id" else expression(query.sort, "d.")
    if query.after is None:
        return [(("", []), sort)]
    value, last_id = query.after
    sign = "<" if query.descending else ">"
    if not sort:
        return [((f"d.id {sign} ?", [last_id]), "")]
    if value is None:
        rest: Clause = (f"{sort} IS NULL AND d.id {sign} ?", [last_id])
        return [(rest, "")] if query.descending else [(rest, ""), ((f"{sort} IS NOT NULL", []), sort)]
    following = f"{sort} {sign}= ? AND ({sort} {sign} ? OR d.id {sign} ?)"
    page: Clause = (following, [value, value, last_id])
    nulls: Clause = (f"{sort} IS NULL", [])
    return [(page, sort), (nulls, "")] if query.descending and with_nulls else [(page, sort)]


def totals(table: Table, where: Sequence[Condition], fields: Sequence[str]) -> Clause:
    """Return the SELECT of the number of documents and the sums of *fields*."""
    source_and_where, params = _chosen(table, where, None, sums_index(table, where, fields))
    sums = [f"coalesce(sum({expression(field, 'd.')}), 0)" for field in fields]
    return f"SELECT {', '.join(['count(*)', *sums])} {source_and_where}", params


def _select(
    table: Table, query: Query, conditions: Sequence[Condition], page_range: Clause, sort: str
) -> Clause:
    source_and_where, params = _chosen(table, conditions, query.sort)
    within, values = page_range
    direction = "DESC" if query.descending else "ASC"
    order = f"{sort} {direction}, d.id {direction}" if sort else f"d.id {direction}"
    if within:
        source_and_where = f"{source_and_where} AND {within}"
    return (
        f"SELECT d.body AS body {source_and_where} ORDER BY {order} LIMIT ?",
        [*params, *values, query.limit],
    )


def _chosen(
    table: Table, conditions: Sequence[Condition], sort: str | None, index: str | None = None
) -> Clause:
    """Return FROM and WHERE; *index* serves the query, None where the best one is chosen by *sort*."""
    (source, params), driver = _source(table, conditions, sort, index)
    wheres: list[Clause] = [("d.body IS NOT NULL", [])]
    if isinstance(driver, Matches):
        wheres.append((f"{table.text} MATCH ?", [search(driver.text)]))
    wheres += [_where(table, condition) for condition in conditions if condition is not driver]
    where = " AND ".join(text for text, _ in wheres)
    return f"FROM {source} WHERE {where}", params + [value for _, values in wheres for value in values]


def _source(
    table: Table, conditions: Sequence[Condition], sort: str | None, index: str | None
) -> tuple[Clause, Condition | None]:
    """Return what FROM names, and the condition that it already answers.

    CROSS JOIN makes the planner read the text table, or the side table of a list, before the documents.
    """
    for condition in conditions:
        if isinstance(condition, Matches):
            if table.text is None:
                raise ValueError(f"{table.collection.name} has no text search")
            source = f"{table.text} CROSS JOIN {table.name} AS d ON d.number = {table.text}.rowid"
            return (source, []), condition
    for condition in conditions:
        if not isinstance(condition, Matches) and condition.field in table.sides:
            ids, params = _side(table, condition, conditions)
            return (f"({ids}) AS k CROSS JOIN {table.name} AS d ON d.id = k.id", params), condition
    index = index or best_index(table, conditions, sort)
    return (f"{table.name} AS d" if index is None else f"{table.name} AS d INDEXED BY {index}", []), None


def _side(table: Table, condition: FieldCondition, conditions: Sequence[Condition]) -> Clause:
    """Return the SELECT of the ids whose list meets *condition*; conditions on the id narrow its range."""
    clauses = [clause(condition, "value")]
    clauses += [
        clause(other, "id") for other in conditions if not isinstance(other, Matches) and other.field == "id"
    ]
    distinct = "" if isinstance(condition, Equals) else "DISTINCT "
    where = " AND ".join(text for text, _ in clauses)
    params = [value for _, values in clauses for value in values]
    side = table.sides[condition.field]
    return f"SELECT {distinct}id FROM {side} WHERE {where}", params  # noqa: S608 # see above


def _where(table: Table, condition: Condition) -> Clause:
    if isinstance(condition, Matches):
        rows = f"SELECT rowid FROM {table.text} WHERE {table.text} MATCH ?"  # noqa: S608 # see above
        return f"d.number IN ({rows})", [search(condition.text)]
    if condition.field in table.sides:
        ids, params = _side(table, condition, ())
        return f"d.id IN ({ids})", params
    return clause(condition, expression(condition.field, "d."))


def merge(pages: Iterable[Sequence[Document]], query: Query) -> list[Document]:
    """Return the first documents of all scopes together, each once.

    Where the page of a scope was cut short, nothing is shown that comes after its last document: between
    them may be documents that were not read.
    """
    pages = list(pages)
    documents = {document["id"]: document for page in pages for document in page}
    ordered = sorted(
        documents.values(), key=lambda document: _key(document, query.sort), reverse=query.descending
    )
    last_ids = {page[-1]["id"] for page in pages if isinstance(page, CutShort)}
    for place, document in enumerate(ordered if last_ids else ()):
        if document["id"] in last_ids:
            return CutShort(ordered[: min(place + 1, query.limit)])
    return ordered[: query.limit]


def _key(document: Document, field: str) -> tuple[Any, ...]:
    """Return a sort key that orders as SQLite does: null, numbers, texts; then by id."""
    value: Any = document
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return 0, 0, document["id"]
    return (2 if isinstance(value, str) else 1), value, document["id"]
