"""Queries as MongoDB filters, sort orders and pipelines."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from projections.model import Collection
from projections.mongodb.conditions import field_path, filter_of
from projections.mongodb.documents import HOUSEKEEPING, PRESENT
from projections.store import Condition, Equals, Matches, Query
from projections.writes import Document

Sort = list[tuple[str, int]]
NUMBER = "_query"


def filters(collection: Collection, query: Query) -> Iterator[Document]:
    """Yield filters that, one after the other, give the documents of *query* in the order of `sort_of`.

    A later filter is only needed if the earlier ones return too few documents. Null sorts below everything. A
    page that continues after a value reads the nulls with a filter of their own, so that each filter is one
    range of an index.
    """
    chosen = _chosen(collection, query)
    for page_range in _ranges(query):
        yield _all_of([*chosen, *page_range])


def sort_of(query: Query) -> Sort:
    """Return the order of *query*; the id decides between equals."""
    direction = -1 if query.descending else 1
    name = field_path(query.sort)
    return [(name, direction)] if name == "_id" else [(name, direction), ("_id", direction)]


def conjunction(collection: Collection, where: Sequence[Condition]) -> Document:
    """Return the filter of the documents that meet all of *where*."""
    return _all_of([PRESENT, *(filter_of(collection, condition) for condition in where)])


def pipelines(collection: Collection, query: Query, number: int) -> Iterator[list[Document]]:
    """Yield a pipeline for each of the `filters` of *query*; its documents carry *number*."""
    for each in filters(collection, query):
        yield [
            {"$match": each},
            {"$sort": dict(sort_of(query))},
            {"$limit": query.limit},
            {"$project": HOUSEKEEPING},
            {"$addFields": {NUMBER: {"$literal": number}}},
        ]


def totals(
    collection: Collection, where: Sequence[Condition], fields: Sequence[str], *, by: str | None = None
) -> list[Document]:
    """Return the pipeline of the number of documents and of the sums of *fields*, named `s0`, `s1` and so on.

    With *by*, there is a row for each value of that field.
    """
    sums = {f"s{number}": {"$sum": f"${field_path(field)}"} for number, field in enumerate(fields)}
    return [
        {"$match": conjunction(collection, where)},
        {"$group": {"_id": None if by is None else f"${field_path(by)}", "count": {"$sum": 1}, **sums}},
    ]


def _all_of(filters: Iterable[Document]) -> Document:
    """Return the filter of the documents that meet all of *filters*.

    Equalities stand side by side, for not every server looks for an index below `$and`. Everything else goes
    below it: SecantusDB, on which the tests run, leaves documents out where a range meets an index in
    descending order.
    """
    equalities: Document = {}
    others: list[Document] = []
    for each in filters:
        if equalities.keys().isdisjoint(each) and all(map(_is_equality, each.items())):
            equalities |= each
        else:
            others.append(each)
    return {**equalities, "$and": others} if others else equalities


def _is_equality(item: tuple[str, Any]) -> bool:
    field, value = item
    return not field.startswith("$") and (not isinstance(value, dict) or value.keys() == {"$in"})


def _chosen(collection: Collection, query: Query) -> list[Document]:
    chosen = [PRESENT, *(filter_of(collection, condition) for condition in query.where)]
    if query.scopes:
        scopes = [
            {"$and": [filter_of(collection, condition) for condition in scope]} if scope else PRESENT
            for scope in query.scopes
        ]
        chosen.append({"$or": scopes})
    return chosen


def _ranges(query: Query) -> list[list[Document]]:
    """Return the ranges that follow the cursor, each as filters that all hold."""
    if query.after is None:
        return [[]]
    value, last_id = query.after
    name = field_path(query.sort)
    beyond = "$lt" if query.descending else "$gt"
    later_id: Document = {"_id": {beyond: last_id}}
    if name == "_id":
        return [[later_id]]
    if value is None:
        rest: list[Document] = [{name: None}, later_id]
        return [rest] if query.descending else [rest, [{name: {"$ne": None}}]]
    page: list[Document] = [
        {name: {f"{beyond}e": value}},
        {"$or": [{name: {beyond: value}}, {name: value, **later_id}]},
    ]
    with_nulls = query.descending and not _excludes_null(query.where, query.sort)
    return [page, [{name: None}]] if with_nulls else [page]


def _excludes_null(conditions: Iterable[Condition], field: str) -> bool:
    """Return whether *conditions* exclude every document in which *field* is null."""
    return any(
        not isinstance(condition, Matches) and condition.field == field and condition != Equals(field, None)
        for condition in conditions
    )


def sums(fields: Sequence[str], rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the totals in the first of *rows*, the answer to a pipeline of `totals`; zeros without a row."""
    if not rows:
        return dict.fromkeys(("count", *fields), 0)
    row = rows[0]
    return {"count": row["count"]} | {field: row[f"s{number}"] for number, field in enumerate(fields)}
