"""What `codepark serve` says in a terminal: what to open, and what happens meanwhile."""

import sys

from codepark.settings import EVERYWHERE, Settings
from read_api.graphql import available

_DEMO = "The demonstration project is being imported: it appears among the projects while it grows."


def greeting(settings: Settings, *, demo: bool) -> str:
    """Return the lines for a person who has just started a server."""
    url = settings.public_url or _opened_here(settings)
    pages = {"projects": url, "API, with its documentation": f"{url}/docs"}
    if available():
        pages["GraphQL"] = f"{url}/graphql"
    width = max(map(len, pages))
    lines = ["", "CodePark serves:", *(f"  {name:{width}}  {page}" for name, page in pages.items())]
    if demo:
        lines.append(_DEMO)
    return "\n".join([*lines, "Ctrl-C ends the server.", ""])


def greet(settings: Settings, *, demo: bool) -> None:
    """Greet the person at the terminal; a program that reads the log gets nothing but its lines."""
    if sys.stderr.isatty():
        print(greeting(settings, demo=demo), file=sys.stderr, flush=True)  # noqa: T201 # for a person


def _opened_here(settings: Settings) -> str:
    """Return the URL that opens the server from this machine."""
    if settings.host not in EVERYWHERE:
        return settings.url
    return settings.url.replace(f"//{settings.host}:", "//127.0.0.1:")
