"""The whole command table, by the names of the commands."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from commands.table import (
    accounts,
    announcements,
    builds,
    commits,
    credentials,
    erasures,
    feedback,
    files,
    mail,
    notifications,
    preferences,
    projects,
    reviews,
    sessions,
    signing,
    suggestions,
    tokens,
)
from commands.table.row import ClientCommandRow, CommandRow


def _by_name(rows: Iterable[CommandRow]) -> Mapping[str, CommandRow]:
    table: dict[str, CommandRow] = {}
    for row in rows:
        if table.setdefault(row.name, row) is not row:
            raise TypeError(f"two rows of the command table are for {row.name}")
    return MappingProxyType(table)


COMMAND_TABLE = _by_name(
    (
        *projects.ROWS,
        *files.ROWS,
        *commits.ROWS,
        *reviews.ROWS,
        *builds.ROWS,
        *announcements.ROWS,
        *suggestions.ROWS,
        *feedback.ROWS,
        *notifications.ROWS,
        *preferences.ROWS,
        *mail.ROWS,
        *accounts.ROWS,
        *credentials.ROWS,
        *sessions.ROWS,
        *tokens.ROWS,
        *erasures.ROWS,
        *signing.ROWS,
    )
)
"""Every type of command, by its name."""

CLIENT_COMMANDS: Mapping[str, ClientCommandRow] = MappingProxyType(
    {name: row for name, row in COMMAND_TABLE.items() if isinstance(row, ClientCommandRow)}
)
"""The types of command that callers send by their names: through `/commands`, GraphQL and the REST paths."""
