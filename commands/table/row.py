"""A row of the command table: what a type of command is built from, and how it is carried out."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from msgspec import Struct

from commands.secrets import Secrets
from commands.table.fields import Input
from commands.table.handler import Handler
from domain.command import Command
from domain.errors import NotFoundError
from domain.limits import MENTIONS
from domain.review.mentions import mentioned_names


class BuildContext(Struct, frozen=True, kw_only=True):
    """What a builder knows besides the input: deciders do no I/O, so builders fill in ids and mentions.

    *target* is the id of the project that the command is for, *new_id* the id of what it creates, *account*
    the caller's id; *account_named* looks up the account that holds a name.
    """

    target: str
    new_id: str
    account: str
    secrets: Secrets
    account_named: Callable[[str], str | None]

    def referenced(self, account: str) -> str:
        """Return the id of *account*, which is an id or a handle after an @; raises NotFoundError."""
        if not account.startswith("@"):
            return account
        account_id = self.account_named(account[1:])
        if account_id is None:
            raise NotFoundError(f"nobody is called {account}", code="account_not_found")
        return account_id

    def mentions(self, *texts: str) -> tuple[str, ...]:
        """Return the accounts that *texts* mention, each once; of more than 50 names the first."""
        names = dict.fromkeys(name.casefold() for text in texts for name in mentioned_names(text))
        accounts = (self.account_named(name) for name in islice(names, MENTIONS))
        return tuple(dict.fromkeys(account for account in accounts if account is not None))


Builder = Callable[[Any, BuildContext], Command]
"""Makes a command of one type from its input."""


class CommandRow(Struct, frozen=True):
    """One type of command, which the server itself builds: callers cannot send it by its name."""

    command: type[Command]
    handler: Handler

    @property
    def name(self) -> str:
        """Return the name of the type, such as `project.create`."""
        return self.command.NAME

    @property
    def action(self) -> str:
        """Return the action that the policy has a rule for: the command's name."""
        return self.command.NAME


class ClientCommandRow(CommandRow, frozen=True):
    """A type of command that callers send by its name: through `/commands`, GraphQL and the REST paths.

    *build* makes the command from an *input*; *targeted* says that it needs a target project.
    """

    input: type[Input]
    build: Builder
    targeted: bool = True
