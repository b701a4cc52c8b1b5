"""Write many rows in few statements: the interpreter's lock is released once for each statement."""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

_CHUNKS = (128, 32, 8, 3, 1)


def write_rows(
    connection: sqlite3.Connection, head: str, rows: Sequence[tuple[Any, ...]], tail: str = ""
) -> None:
    """Execute *head*, `VALUES` with the rows, and *tail*, in chunks of few sizes: statements stay cached."""
    start, total = 0, len(rows)
    for size in _CHUNKS:
        if total - start < size:
            continue
        statement = _statement(head, len(rows[0]), size, tail)
        while total - start >= size:
            connection.execute(statement, tuple(chain.from_iterable(rows[start : start + size])))
            start += size


@lru_cache(maxsize=1024)
def _statement(head: str, width: int, count: int, tail: str) -> str:
    row = f"({','.join('?' * width)})"
    return f"{head} VALUES {','.join([row] * count)}{tail}"
