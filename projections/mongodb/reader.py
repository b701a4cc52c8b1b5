"""Read documents from a generation's collection."""

from collections.abc import Sequence
from typing import NamedTuple

from pymongo.client_session import ClientSession
from pymongo.collection import Collection as Stored

from projections.model import Collection
from projections.mongodb import queries
from projections.mongodb.documents import HOUSEKEEPING, PRESENT, to_document
from projections.store import Condition, OneOf, Query
from projections.writes import Document

_PAGE = 100


class Source(NamedTuple):
    """A live collection, and the session to read it in."""

    collection: Collection
    stored: Stored[Document]
    session: ClientSession


def read_one(source: Source, id_: str) -> Document | None:
    """Return a document."""
    found = source.stored.find_one({"_id": id_, **PRESENT}, HOUSEKEEPING, session=source.session)
    return None if found is None else to_document(found)


def read_many(source: Source, ids: Sequence[str]) -> dict[str, Document]:
    """Return the documents that exist, by id."""
    chosen = {"_id": {"$in": list(ids)}, **PRESENT}
    found = source.stored.find(chosen, HOUSEKEEPING, session=source.session, batch_size=len(ids) + 1)
    return {raw["_id"]: to_document(raw) for raw in found}


def read_query(source: Source, query: Query) -> list[Document]:
    """Return the documents of *query*."""
    found: list[Document] = []
    for part in queries.filters(source.collection, query):
        missing = query.limit - len(found)
        if missing <= 0:
            break
        page = source.stored.find(
            part,
            HOUSEKEEPING,
            sort=queries.sort_of(query),
            limit=missing,
            batch_size=missing + 1,  # one answer has them all
            session=source.session,
        )
        found += [to_document(raw) for raw in page]
    return found


def read_queries(source: Source, wanted: Sequence[Query]) -> list[list[Document]]:
    """Return the documents of each of *wanted*: one pipeline that appends the answers, each marked with its number."""
    first, *rest = [
        pipeline
        for number, query in enumerate(wanted)
        for pipeline in queries.pipelines(source.collection, query, number)
    ]
    joined = [
        *first,
        *({"$unionWith": {"coll": source.stored.name, "pipeline": pipeline}} for pipeline in rest),
    ]
    found: list[list[Document]] = [[] for _ in wanted]
    for raw in source.stored.aggregate(joined, session=source.session):
        found[raw.pop(queries.NUMBER)].append(to_document(raw))
    return [documents[: query.limit] for documents, query in zip(found, wanted, strict=True)]


def count(source: Source) -> int:
    """Return how many documents the collection has."""
    return source.stored.count_documents(PRESENT, session=source.session)


def read_totals(source: Source, where: Sequence[Condition], fields: Sequence[str]) -> dict[str, float]:
    """Return the sums of *fields*, and under `count` how many documents they are of."""
    pipeline = queries.totals(source.collection, where, fields)
    return queries.sums(fields, list(source.stored.aggregate(pipeline, session=source.session)))


def read_totals_by(
    source: Source, field: str, values: Sequence[str], fields: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the sums of *fields*, and `count`, of the documents that have each of *values* in *field*."""
    where = (OneOf(field, tuple(values)),)
    pipeline = queries.totals(source.collection, where, fields, by=field)
    rows = {row["_id"]: row for row in source.stored.aggregate(pipeline, session=source.session)}
    return {value: queries.sums(fields, [rows[value]] if value in rows else []) for value in values}


def read_page(source: Source, after: str) -> list[Document]:
    """Return the documents that follow the id *after*."""
    return read_query(source, Query(collection=source.collection.name, limit=_PAGE, after=(after, after)))
