"""How a command shows its result: as JSON for scripts, as a line or a table for people."""

import sys
from collections.abc import Iterable
from typing import IO, Any

import msgspec
from rich.console import Console
from rich.table import Table

_WIDEST = 4_000
"""A table takes no more than its cells need."""


def show(result: Any, text: str | Table, *, as_json: bool) -> None:
    """Write *result* for a script, or *text* for a person, to standard output."""
    if as_json:
        write_lines([result])
    elif isinstance(text, str):
        print(text)  # noqa: T201 # its result
    else:
        console_for(text, sys.stdout).print(text)


def console_for(table: Table, stream: IO[str]) -> Console:
    """Return a console that cuts nothing: a terminal folds long words, anything else gets whole lines."""
    for column in table.columns:
        column.overflow = "fold"
    console = Console(file=stream)
    if not console.is_terminal:
        console.width = _WIDEST
    return console


def write_lines(documents: Iterable[Any]) -> None:
    """Write each document as a line of JSON to standard output."""
    for document in documents:
        print(msgspec.json.encode(document).decode())  # noqa: T201 # the result of a command
    sys.stdout.flush()
