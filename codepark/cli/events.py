"""`codepark events`: read the event history, one line of JSON for each event."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from codepark.cli.failures import CommandError, UsageError
from codepark.cli.options import Data, quiet_settings
from codepark.cli.remote import operate, reading
from codepark.cli.results import write_lines
from codepark.data_directory import DataDirectory
from codepark.settings import Settings

events_app = cyclopts.App(name="events", help="Read the event history.")

_PAGE = 500
_RETRY_SECONDS = 1.0
_pause = threading.Event()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which events are written: the same filter as that of the HTTP surface.

    Parameters
    ----------
    type
        Types of events, separated by commas, such as project.created,file.written.
    stream
        Streams, separated by commas.
    projects
        Ids of projects, separated by commas.
    actor
        Ids of those who acted, separated by commas.
    from_
        Leave out what happened before this RFC 3339 time.
    until
        Leave out what happened after this RFC 3339 time.
    """

    type: str | None = None
    stream: str | None = None
    projects: str | None = None
    actor: str | None = None
    from_: Annotated[str | None, Parameter(name="--from")] = None
    until: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the filter as the operation takes it."""
        return {
            "type": self.type,
            "stream": self.stream,
            "projects": self.projects,
            "actor": self.actor,
            "from": self.from_,
            "until": self.until,
        }


_EVERYTHING = Filter()


@events_app.command(name="tail")
def tail_events(
    *, count: int = 20, follow: bool = False, only: Filter = _EVERYTHING, data: Data = None
) -> None:
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
    before = {number: sequence + 1 for number, sequence in tips.items()}
    newest: list[dict[str, Any]] = []
    for page in _pages_back(settings, before, only, count) if count else ():
        newest += page
    write_lines(reversed(newest))
    if follow:
        _follow(settings, tips, only)


@events_app.command(name="export")
def export_events(
    *, after: int = 0, order: str = "asc", only: Filter = _EVERYTHING, data: Data = None
) -> None:
    """Write every event, one line of JSON each.

    Parameters
    ----------
    after
        Leave out the events up to this sequence (of each partition, where there are several).
    order
        asc for the oldest first, desc for the newest first.
    """
    settings = quiet_settings(data)
    if order == "desc":
        for page in _pages_back(settings, {}, only):
            write_lines(event for event in page if event["sequence"] > after)
        return
    start = dict.fromkeys(operate(settings, "tip", {})["sequences"], after) if after else {}
    for oldest in _pages(settings, start, {**only.arguments(), "order": order}):
        write_lines(oldest["items"])


def _pages_back(
    settings: Settings, before: dict[str, int], only: Filter, most: int | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yield up to *most* events before *before*, all without either, in pages, the newest first."""
    with reading(settings) as read:
        left = most
        while left is None or left > 0:
            limit = _PAGE if left is None else min(left, _PAGE)
            page = read("events", {**only.arguments(), "order": "desc", "before": before, "limit": limit})
            yield page["items"]
            if len(page["items"]) < limit:
                return
            before, left = page["before"], None if left is None else left - limit


def _pages(settings: Settings, after: dict[str, int], wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events after *after* in pages: `items`, and `after` to continue from, by partition."""
    with reading(settings) as read:
        while True:
            page = read("events", {**wanted, "after": after, "limit": _PAGE})
            yield page
            if not page["items"]:
                return
            after = page["after"]


def _follow(settings: Settings, after: dict[str, int], only: Filter) -> None:
    """Write new events until the command is interrupted; wait where the channel's server does not answer."""
    import redis  # noqa: PLC0415 # only where a caller follows

    url, unavailable = _channel_url(settings), False
    while True:
        try:
            for position in _positions(settings, url):
                unavailable = False
                if position is None or position > sum(after.values()):  # None: a message may have been lost
                    after = _write_after(settings, after, only)
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


def _write_after(settings: Settings, after: dict[str, int], only: Filter) -> dict[str, int]:
    """Write the events after *after*; return where the next ones begin."""
    for page in _pages(settings, after, only.arguments()):
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
