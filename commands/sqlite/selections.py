"""The statement that reads the records of a selection."""
# ruff: noqa: S608 # the names in the statements are ours; values are parameters

from collections.abc import Sequence
from typing import Any

from commands.log import Selection
from commands.mapper import stored_topic
from domain.upcasting import event_versions

Clause = tuple[str, list[Any]]
"""SQL and its parameters."""


def select(table: str, columns: str, selection: Selection, after: int, limit: int) -> Clause:
    """Return the SELECT of up to *limit* records beyond the sequence *after*.

    Where there are several homes or streams, the index finds the next *limit* records of each; a search for
    all at once would have to sort everything that they ever had.
    """
    beyond, order = ("<", "DESC") if selection.newest_first else (">", "ASC")
    clauses = [(f"rowid {beyond} ?", [after]), *_clauses(selection)]
    column, names = _indexed(selection)
    if len(names) > 1:
        each, values = _and([(f"{column} = ?", []), *clauses])
        one = f"SELECT rowid FROM (SELECT rowid FROM {table} WHERE {each} ORDER BY rowid {order} LIMIT ?)"
        clauses = [
            (
                f"rowid IN ({' UNION ALL '.join([one] * len(names))})",
                [value for name in names for value in (name, *values, limit)],
            )
        ]
    elif names:
        clauses.append((f"{column} = ?", list(names)))
    where, params = _and(clauses)
    return f"SELECT {columns} FROM {table} WHERE {where} ORDER BY rowid {order} LIMIT ?", [*params, limit]


def _indexed(selection: Selection) -> tuple[str, Sequence[str]]:
    """Return the column that an index finds the records by, and its values; no values for no such column."""
    if selection.streams is not None:
        return "originator_id", selection.streams
    return "home", selection.homes or ()


def _clauses(selection: Selection) -> list[Clause]:
    clauses: list[Clause] = []
    if selection.stream is not None:
        clauses.append(("originator_id = ?", [selection.stream]))
    if selection.home is not None:
        clauses.append(("home = ?", [selection.home]))
    if selection.streams is not None and selection.homes is not None:
        clauses.append(_one_of("home", selection.homes))
    if selection.until is not None:
        clauses.append(("occurred_at <= ?", [selection.until]))
    if selection.actors is not None:
        clauses.append(_one_of("actor", selection.actors))
    if selection.topics is not None:
        names = [
            stored_topic(topic, version)
            for topic in selection.topics
            for version in range(1, event_versions(topic) + 1)
        ]
        clauses.append(_one_of("topic", names))
    return clauses


def _one_of(column: str, names: Sequence[str]) -> Clause:
    return f"{column} IN ({','.join('?' * len(names))})", list(names)


def _and(clauses: Sequence[Clause]) -> Clause:
    return " AND ".join(text for text, _ in clauses), [value for _, values in clauses for value in values]
