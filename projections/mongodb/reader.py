"""Read documents from the collection of a generation."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as MongoCollection

from projections.budget import draw
from projections.model import Collection
from projections.mongodb import queries
from projections.mongodb.documents import HOUSEKEEPING, PRESENT, to_document
from projections.store import Condition, CutShort, OneOf, Query
from projections.writes import Document


class Source(NamedTuple):
    """A live collection, and the session to read it in."""

    collection: Collection
    stored: MongoCollection[Document]
    session: ClientSession


def read_one(source: Source, id_: str) -> Document | None:
    """Return a document."""
    raw = source.stored.find_one({"_id": id_, **PRESENT}, HOUSEKEEPING, session=source.session)
    if raw is None:
        return None
    _drawn(raw)
    return to_document(raw)


def read_many(source: Source, ids: Sequence[str]) -> dict[str, Document]:
    """Return the documents that exist, by id."""
    chosen = {"_id": {"$in": list(ids)}, **PRESENT}
    answer = source.stored.find(chosen, HOUSEKEEPING, session=source.session, batch_size=len(ids) + 1)
    documents: dict[str, Document] = {}
    for raw in answer:
        _drawn(raw)
        documents[raw["_id"]] = to_document(raw)
    return documents


def read_query(source: Source, query: Query) -> list[Document]:
    """Return the documents of *query*."""
    documents: list[Document] = []
    for each in queries.filters(source.collection, query):
        missing = query.limit - len(documents)
        if missing <= 0:
            break
        page = source.stored.find(
            each,
            HOUSEKEEPING,
            sort=queries.sort_of(query),
            limit=missing,
            batch_size=missing + 1,  # one answer holds them all
            session=source.session,
        )
        if not _read_page(page, documents, query.most_bytes):
            return CutShort(documents)
    return documents


def _read_page(page: Iterable[Document], documents: list[Document], most_bytes: int | None) -> bool:
    """Add a page to *documents* until they pass *most_bytes*; return whether all of it was added."""
    size = 0
    for raw in page:
        size += _drawn(raw)
        if documents and most_bytes is not None and size > most_bytes:
            return False
        documents.append(to_document(raw))
    return True


def _drawn(raw: Document) -> int:
    """Note that a document was read, and return its size."""
    size = len(msgspec.json.encode(raw))
    draw(size)
    return size


def read_queries(source: Source, requested: Sequence[Query]) -> list[list[Document]]:
    """Return the documents of each of *requested*; one pipeline joins the answers, marked by number."""
    first, *rest = [
        pipeline
        for number, query in enumerate(requested)
        for pipeline in queries.pipelines(source.collection, query, number)
    ]
    joined = [
        *first,
        *({"$unionWith": {"coll": source.stored.name, "pipeline": pipeline}} for pipeline in rest),
    ]
    answers: list[list[Document]] = [[] for _ in requested]
    sizes = [0] * len(requested)
    for raw in source.stored.aggregate(joined, session=source.session):
        number = raw.pop(queries.NUMBER)
        answer, most_bytes = answers[number], requested[number].most_bytes
        if isinstance(answer, CutShort):
            continue
        sizes[number] += _drawn(raw)
        if answer and most_bytes is not None and sizes[number] > most_bytes:
            answers[number] = CutShort(answer)
        else:
            answer.append(to_document(raw))
    return [_limited(documents, query.limit) for documents, query in zip(answers, requested, strict=True)]


def _limited(documents: list[Document], limit: int) -> list[Document]:
    return documents[:limit] if len(documents) > limit else documents


def count(source: Source) -> int:
    """Return how many documents the collection has."""
    return source.stored.count_documents(PRESENT, session=source.session)


def read_totals(source: Source, where: Sequence[Condition], fields: Sequence[str]) -> dict[str, float]:
    """Return the sums of *fields* over the documents of *where*, and their number under `count`."""
    pipeline = queries.totals(source.collection, where, fields)
    return queries.sums(fields, list(source.stored.aggregate(pipeline, session=source.session)))


def read_totals_by(
    source: Source, field: str, values: Sequence[str], fields: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return such totals of the documents with each of *values* in *field*, by value."""
    where = (OneOf(field, tuple(values)),)
    pipeline = queries.totals(source.collection, where, fields, by=field)
    rows = {row["_id"]: row for row in source.stored.aggregate(pipeline, session=source.session)}
    return {value: queries.sums(fields, [rows[value]] if value in rows else []) for value in values}
