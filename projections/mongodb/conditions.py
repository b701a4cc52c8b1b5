"""Conditions of queries as MongoDB filters."""

import re
from typing import assert_never

from projections.model import Collection
from projections.mongodb.documents import WORDS, path
from projections.mongodb.search_words import words
from projections.prefixes import after_prefix
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
    searched = words(text)
    if not searched:
        return NOTHING
    last = {WORDS: {"$elemMatch": _range(searched[-1])}}
    whole = sorted(set(searched[:-1]))
    return {"$and": [{WORDS: {"$all": whole}}, last]} if whole else last
