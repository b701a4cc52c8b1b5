"""Conditions of queries as SQL."""

from typing import Any, assert_never

from projections.prefixes import after_prefix
from projections.search_words import query_terms
from projections.store import Above, Equals, OneOf, Outside, StartsWith

FieldCondition = Equals | OneOf | StartsWith | Above | Outside

Clause = tuple[str, list[Any]]
"""SQL and its parameters."""


def clause(condition: FieldCondition, column: str) -> Clause:
    """Return *condition* as SQL about *column*."""
    match condition:
        case Equals(value=None):
            return f"{column} IS NULL", []
        case Equals(value=value) | Above(value=value) as compared:
            return f"{column} {'=' if isinstance(compared, Equals) else '>'} ?", [value]
        case OneOf(values=values):
            return f"{column} IN ({','.join('?' * len(values))})", list(values)
        case Outside(first=first, end=None):
            return f"{column} < ?", [first]
        case Outside(first=first, end=end):
            return f"({column} < ? OR {column} >= ?)", [first, end]
        case StartsWith(prefix=prefix):
            return _starts_with(column, prefix)
        case _:
            assert_never(condition)


def search(text: str) -> str | None:
    """Return *text* as a full-text expression whose words are no operators; None if it has no words."""
    terms = query_terms(text)
    return " ".join(f'"{term.text}"{"*" if term.prefix else ""}' for term in terms) or None


def _starts_with(column: str, prefix: str) -> Clause:
    if not prefix:
        return f"typeof({column}) = 'text'", []
    end = after_prefix(prefix)
    if end is None:
        return f"{column} >= ? AND typeof({column}) = 'text'", [prefix]
    return f"{column} >= ? AND {column} < ?", [prefix, end]
