"""`codepark rebuild`, `dead-letters`, `account`, `events`, `doctor`."""

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from codepark import logs
from codepark.cli.failures import CommandError
from codepark.cli.remote import operate
from codepark.cli.serve import Data
from codepark.data_directory import DataDirectory
from codepark.doctor import examine
from codepark.settings import Settings, read_settings
from domain.actor import Role, Tier

Json = Annotated[bool, Parameter(name="--json", negative="", help="Write JSON for scripts.")]
Roles = Annotated[list[Role] | None, Parameter(name="--role")]

account_app = cyclopts.App(name="account", help="Change accounts.")
events_app = cyclopts.App(name="events", help="Read the event history.")
dead_letters_app = cyclopts.App(name="dead-letters", help="Events that could not be projected.")

_PAGE = 500


def rebuild(read_model: str, *, data: Data = None, as_json: Json = False) -> None:
    """Build a read model anew from the first event, beside the live one, and switch to it.

    Parameters
    ----------
    read_model
        Its name, such as `projects`.
    """
    settings = settings_of(data)
    with Progress(console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(f"Rebuilding {read_model}", total=None)

        def advanced(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        result = operate(settings, "rebuild", {"model": read_model, "progress": advanced})
    show_result(result, as_json=as_json, line=f"{read_model} is rebuilt up to event {result['sequence']}")


@dead_letters_app.command(name="list")
def list_dead_letters(*, data: Data = None, as_json: Json = False) -> None:
    """List the events that could not be projected, and what waits behind them."""
    result = operate(settings_of(data), "dead-letters-list", {})
    if as_json:
        _write(result)
        return
    table = Table("read model", "event", "type", "stream", "reason")
    for item in result["items"]:
        table.add_row(
            item["model"],
            f"{item['partition']}/{item['sequence']}" if item["partition"] else str(item["sequence"]),
            item["type"],
            item["stream"],
            item["reason"] or "waits behind it",
        )
    Console().print(table if result["items"] else "there are no dead letters")


@dead_letters_app.command(name="retry")
def retry_dead_letters(*, data: Data = None, as_json: Json = False) -> None:
    """Try to project them again, in the order of their streams."""
    result = operate(settings_of(data), "dead-letters-retry", {})
    show_result(result, as_json=as_json, line=f"{result['solved']} solved, {result['left']} left")
    if result["left"]:
        raise CommandError(f"{result['left']} events still cannot be projected")


@account_app.command(name="set")
def set_account(
    email: str, *, role: Roles = None, tier: Tier | None = None, data: Data = None, as_json: Json = False
) -> None:
    """Give an account other roles or another tier.

    Parameters
    ----------
    email
        The account's e-mail address.
    role
        A role that it shall have; may be given several times.
    """
    arguments = {"email": email, "roles": [str(item) for item in role or ()], "tier": tier}
    result = operate(settings_of(data), "account-set", arguments)
    show_result(
        result, as_json=as_json, line=f"account {result['accountId']} is at version {result['version']}"
    )


@events_app.command(name="tail")
def tail_events(*, count: int = 20, follow: bool = False, data: Data = None) -> None:
    """Write the last events, one line of JSON each.

    Parameters
    ----------
    count
        How many.
    follow
        Go on with new events as the server publishes them.
    """
    settings = settings_of(data)
    tips = operate(settings, "tip", {})["sequences"]
    # The last events of all are among the last ones of each partition.
    after = {number: max(sequence - count, 0) for number, sequence in tips.items()}
    pages = list(_pages(settings, after, None))
    _write_all(deque((item for page in pages for item in page["items"]), maxlen=count))
    if follow:
        _follow(settings, pages[-1]["after"])


def _follow(settings: Settings, after: dict[str, int]) -> None:
    from codepark.cache_and_channel import CHANNEL, connect  # noqa: PLC0415 # only where somebody follows
    from projections.redis.channel import positions  # noqa: PLC0415 # as above

    server = DataDirectory(settings.data).server()
    if server is None or server.redis_url is None:
        raise CommandError(
            "no server publishes events from this data directory: start one with `codepark serve`"
        )
    for position in positions(connect(server.redis_url, settings.redis_ca_file), settings.prefix + CHANNEL):
        if position is None or position > sum(after.values()):  # None: a message may have been lost, so look
            for page in _pages(settings, after, None):
                _write_all(page["items"])
                after = page["after"]


@events_app.command(name="export")
def export_events(
    *, after: int = 0, type_: Annotated[str | None, Parameter(name="--type")] = None, data: Data = None
) -> None:
    """Write every event, oldest first, one line of JSON each.

    Parameters
    ----------
    after
        Leave out the events up to this sequence (of each partition, where there are several).
    type_
        Only events of this type.
    """
    settings = settings_of(data)
    start = dict.fromkeys(operate(settings, "tip", {})["sequences"], after) if after else {}
    for page in _pages(settings, start, type_):
        _write_all(page["items"])


def _pages(settings: Settings, after: dict[str, int], type_: str | None) -> Iterator[dict[str, Any]]:
    """Yield the events behind *after* in pages (`items`), each with the sequences behind it by partition (`after`)."""
    while True:
        page = operate(settings, "events", {"after": after, "limit": _PAGE, "type": type_})
        yield page
        if not page["items"]:
            return
        after = page["after"]


def _write_all(items: Iterable[dict[str, Any]]) -> None:
    for item in items:
        _write(item)
    sys.stdout.flush()


def doctor(*, data: Data = None, as_json: Json = False) -> None:
    """Examine an installation: the log's chain, the keys, the read models, the dead letters."""
    findings = examine(settings_of(data))
    if as_json:
        _write({"findings": [msgspec.to_builtins(finding) for finding in findings]})
    else:
        table = Table("part", "", "finding")
        for finding in findings:
            table.add_row(finding.part, "ok" if finding.ok else "[bold red]wrong[/]", finding.detail)
        Console().print(table)
    if not all(finding.ok for finding in findings):
        raise CommandError("something is wrong with this installation")


def settings_of(data: Data) -> Settings:
    """Read the settings of a command, which writes nothing but its result."""
    settings = read_settings(os.environ, data=data)
    logs.configure("warning")
    return settings


def show_result(result: dict[str, Any], *, as_json: bool, line: str) -> None:
    """Print *result* for a script, or *line* for a person."""
    if as_json:
        _write(result)
    else:
        print(line)  # noqa: T201 # its result


def _write(document: dict[str, Any]) -> None:
    print(msgspec.json.encode(document).decode())  # noqa: T201 # its result
