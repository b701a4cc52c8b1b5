"""`codepark rebuild`, `dead-letters`, `account`, `log-level`, `doctor`."""

import sys
from typing import Annotated

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from codepark.cli.failures import CommandError
from codepark.cli.options import Data, Json, quiet_settings
from codepark.cli.remote import ask_running, operate
from codepark.cli.results import show
from codepark.doctor import examine
from domain.actor import Role, Tier

Roles = Annotated[list[Role] | None, Parameter(name="--role")]

account_app = cyclopts.App(name="account", help="Change accounts.")
dead_letters_app = cyclopts.App(
    name="dead-letters", help="List and retry events that could not be projected."
)


def rebuild(read_model: str, *, data: Data = None, as_json: Json = False) -> None:
    """Build a read model again from the first event, next to the live one, and switch to it.

    Parameters
    ----------
    read_model
        Its name, such as `projects`.
    """
    settings = quiet_settings(data)
    with Progress(console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(f"Rebuilding {read_model}", total=None)

        def advanced(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        result = operate(settings, "rebuild", {"model": read_model, "progress": advanced})
    show(result, f"{read_model} is rebuilt up to event {result['sequence']}", as_json=as_json)


@dead_letters_app.command(name="list")
def list_dead_letters(*, data: Data = None, as_json: Json = False) -> None:
    """List the events that could not be projected, and those that wait for them."""
    result = operate(quiet_settings(data), "dead-letters-list", {})
    table = Table("read model", "event", "type", "stream", "reason")
    for letter in result["items"]:
        partition, sequence = letter["partition"], letter["sequence"]
        table.add_row(
            letter["model"],
            f"{partition}/{sequence}" if partition else str(sequence),
            letter["type"],
            letter["stream"],
            letter["reason"] or "waits for the one before it",
        )
    show(result, table if result["items"] else "there are no dead letters", as_json=as_json)


@dead_letters_app.command(name="retry")
def retry_dead_letters(*, data: Data = None, as_json: Json = False) -> None:
    """Try to project them again, in the order of their streams."""
    result = operate(quiet_settings(data), "dead-letters-retry", {})
    show(result, f"{result['solved']} solved, {result['left']} left", as_json=as_json)
    if result["left"]:
        reasons = "".join(f"; {reason}" for reason in result.get("reasons", ()))
        raise CommandError(f"{result['left']} events still cannot be projected{reasons}")


@account_app.command(name="set")
def set_account(
    email: str,
    *,
    role: Roles = None,
    tier: Tier | None = None,
    verified: Annotated[bool, Parameter(negative="")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give an account other roles or another tier, or say that its address is its own.

    Parameters
    ----------
    email
        The account's e-mail address.
    role
        A role that it is to have; may be given several times.
    tier
        The tier that it is to have.
    verified
        Its e-mail address counts as verified, although no mail was answered.
    """
    roles = [str(each) for each in role or ()]
    arguments = {"email": email, "roles": roles, "tier": tier, "verified": verified}
    result = operate(quiet_settings(data), "account-set", arguments)
    show(result, f"account {result['accountId']} is at version {result['version']}", as_json=as_json)


def log_level(level: str, *, data: Data = None, as_json: Json = False) -> None:
    """Let the server that runs log from another level up: trace, debug, info, warning or error.

    All processes that share its port change; the next start begins with CODEPARK_LOG_LEVEL again.

    Parameters
    ----------
    level
        The level.
    """
    result = ask_running(quiet_settings(data), "log-level", {"level": level})
    show(result, f"the server logs from {result['level']} up (before: {result['before']})", as_json=as_json)


def doctor(*, data: Data = None, as_json: Json = False) -> None:
    """Examine an installation: the log's chain, the keys, the read models, the dead letters."""
    findings = examine(quiet_settings(data))
    table = Table("part", "", "finding")
    for finding in findings:
        table.add_row(finding.part, "ok" if finding.ok else "[bold red]wrong[/]", finding.detail)
    show({"findings": [msgspec.to_builtins(finding) for finding in findings]}, table, as_json=as_json)
    if not all(finding.ok for finding in findings):
        raise CommandError("something is wrong with this installation")
