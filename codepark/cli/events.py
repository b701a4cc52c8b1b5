"""`codepark events`: read the event history, one line of JSON for each event."""

from collections import deque
from collections.abc import Iterator
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from codepark.cli.failures import CommandError
from codepark.cli.options import Data, quiet_settings
from codepark.cli.remote import operate
from codepark.cli.results import write_lines
from codepark.data_directory import DataDirectory
from codepark.settings import Settings

Type = Annotated[str | None, Parameter(name="--type")]

events_app = cyclopts.App(name="events", help="Read the event history.")

_PAGE = 500


@events_app.command(name="tail")
def tail_events(*, count: int = 20, follow: bool = False, data: Data = None) -> None:
    """Write the last events, one line of JSON each.

    Parameters
    ----------
    count
        How many.
    follow
        Continue with new events as the server publishes them.
    """
    if count < 0:
        raise CommandError(f"--count is {count}; it takes a number from 0")
    settings = quiet_settings(data)
    tips = operate(settings, "tip", {})["sequences"]
    # The last events of all are among the last ones of each partition.
    after = {number: max(sequence - count, 0) for number, sequence in tips.items()}
    pages = list(_pages(settings, after, None))
    write_lines(deque((event for page in pages for event in page["items"]), maxlen=count))
    if follow:
        _follow(settings, pages[-1]["after"])


@events_app.command(name="export")
def export_events(*, after: int = 0, type_: Type = None, data: Data = None) -> None:
    """Write every event, oldest first, one line of JSON each.

    Parameters
    ----------
    after
        Leave out the events up to this sequence (of each partition, where there are several).
    type_
        Only events of this type.
    """
    settings = quiet_settings(data)
    start = dict.fromkeys(operate(settings, "tip", {})["sequences"], after) if after else {}
    for page in _pages(settings, start, type_):
        write_lines(page["items"])


def _pages(settings: Settings, after: dict[str, int], type_: str | None) -> Iterator[dict[str, Any]]:
    """Yield the events after *after* in pages: `items`, and `after` to continue from, by partition."""
    while True:
        page = operate(settings, "events", {"after": after, "limit": _PAGE, "type": type_})
        yield page
        if not page["items"]:
            return
        after = page["after"]


def _follow(settings: Settings, after: dict[str, int]) -> None:
    from codepark.cache_and_channel import CHANNEL  # noqa: PLC0415 # only where a caller follows
    from codepark.redis_clients import connect  # noqa: PLC0415 # as above
    from projections.redis.channel import positions  # noqa: PLC0415 # as above

    server = DataDirectory(settings.data).server()
    if server is None or server.redis_url is None:
        raise CommandError(
            "no server publishes events from this data directory: start one with `codepark serve`"
        )
    for position in positions(connect(server.redis_url, settings.redis_ca_file), settings.prefix + CHANNEL):
        if position is None or position > sum(after.values()):  # None: a message may have been lost
            for page in _pages(settings, after, None):
                write_lines(page["items"])
                after = page["after"]
