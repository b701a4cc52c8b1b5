"""`codepark events`: read the event history, one line of JSON for each event."""

import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from codepark.cli.failures import CommandError, UsageError
from codepark.cli.options import Data, quiet_settings
from codepark.cli.remote import operate, reading
from codepark.cli.results import write_lines
from codepark.data_directory import DataDirectory
from codepark.settings import Settings

Type = Annotated[str | None, Parameter(name="--type")]

events_app = cyclopts.App(name="events", help="Read the event history.")

_PAGE = 500
_RETRY_SECONDS = 1.0
_pause = threading.Event()


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
        raise UsageError(f"--count is {count}; it takes a number from 0")
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
    with reading(settings) as read:
        while True:
            page = read("events", {"after": after, "limit": _PAGE, "type": type_})
            yield page
            if not page["items"]:
                return
            after = page["after"]


def _follow(settings: Settings, after: dict[str, int]) -> None:
    """Write new events until the command is interrupted; wait where the channel's server does not answer."""
    import redis  # noqa: PLC0415 # only where a caller follows

    url, unavailable = _channel_url(settings), False
    while True:
        try:
            for position in _positions(settings, url):
                unavailable = False
                if position is None or position > sum(after.values()):  # None: a message may have been lost
                    after = _write_after(settings, after)
        except redis.RedisError as error:
            if settings.redis is None and not DataDirectory(settings.data).is_held():
                raise CommandError("the server ended: no process publishes events any more") from error
            if not unavailable:
                unavailable = True
                message = "codepark: the server of the channel does not answer; waiting for it"
                print(message, file=sys.stderr)  # noqa: T201 # the output is for events alone
            _pause.wait(_RETRY_SECONDS)
        else:
            return


def _write_after(settings: Settings, after: dict[str, int]) -> dict[str, int]:
    """Write the events after *after*; return where the next ones begin."""
    for page in _pages(settings, after, None):
        write_lines(page["items"])
        after = page["after"]
    return after


def _positions(settings: Settings, url: str) -> Iterator[int | None]:
    from codepark.cache_and_channel import CHANNEL  # noqa: PLC0415 # only where a caller follows
    from codepark.redis_clients import connect  # noqa: PLC0415 # as above
    from projections.redis.channel import positions  # noqa: PLC0415 # as above

    return positions(connect(url, settings.redis_ca_file), settings.prefix + CHANNEL)


def _channel_url(settings: Settings) -> str:
    """Return where positions are published: the Redis of the settings, or that of the server that runs."""
    if settings.redis is not None:
        return settings.redis.pubsub
    server = DataDirectory(settings.data).server()
    if server is None or server.redis_url is None:
        raise CommandError(
            "no server publishes events from this data directory: start one with `codepark serve`"
        )
    return server.redis_url
