"""Conditions of queries as MongoDB filters."""

import re
from typing import assert_never

from projections.model import Collection
from projections.mongodb.documents import WORDS, path
from projections.prefixes import after_prefix
from projections.search_words import query_terms
from projections.store import Above, Condition, Equals, Matches, OneOf, Outside, StartsWith
from projections.writes import Document

NOTHING: Document = {"_id": {"$in": []}}
"""The filter that no document meets."""

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*")


def filter_of(collection: Collection, condition: Condition) -> Document:
    """Return *condition* as a filter; raises ValueError where *collection* cannot answer it."""
    if isinstance(condition, Matches):
        return _search(collection, condition.text)
    name = field_path(condition.field)
    match condition:
        case Equals(value=value) | Above(value=value) as compared:
            return {name: value if isinstance(compared, Equals) else {"$gt": value}}
        case OneOf(values=values):
            return {name: {"$in": list(values)}}
        case Outside(first=first, end=end):
            before: Document = {name: {"$lt": first}}
            return before if end is None else {"$or": [before, {name: {"$gte": end}}]}
        case StartsWith(prefix=prefix):
            return _starts_with(collection, condition.field, prefix)
        case _:
            assert_never(condition)


def field_path(field: str) -> str:
    """Return the path of *field* in a stored document; raises ValueError where *field* cannot name one."""
    if not _FIELD.fullmatch(field):
        raise ValueError(f"not a field name: {field}")
    return path(field)


def _starts_with(collection: Collection, field: str, prefix: str) -> Document:
    """Both bounds must hold for one value: inside a list, `$elemMatch` says so."""
    if field not in collection.multikey:
        return {path(field): _range(prefix)}
    name, _, key = field.partition(".")
    return {name: {"$elemMatch": {key: _range(prefix)} if key else _range(prefix)}}


def _range(prefix: str) -> Document:
    """Return the range of the texts that begin with *prefix*, which an index serves."""
    if not prefix:
        return {"$type": "string"}
    end = after_prefix(prefix)
    return {"$gte": prefix} if end is None else {"$gte": prefix, "$lt": end}


def _search(collection: Collection, text: str) -> Document:
    """Search in the array of words that the store keeps in each document.

    `$text` cannot answer: it knows no prefixes, and takes parts of what people type for operators.
    """
    if not collection.text:
        raise ValueError(f"{collection.name} has no text search")
    terms = query_terms(text)
    if not terms:
        return NOTHING
    whole = sorted(term.text for term in terms if not term.prefix)
    filters: list[Document] = [{WORDS: {"$all": whole}}] if whole else []
    filters += [{WORDS: {"$elemMatch": _range(term.text)}} for term in terms if term.prefix]
    return filters[0] if len(filters) == 1 else {"$and": filters}
