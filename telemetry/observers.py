"""What watches requests besides the metrics: the route that is being answered, and who learns of answers."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

Answered = Callable[[str, str, int, float], None]
"""Is called with the method, the route, the status and the seconds of a request that was answered."""

ROUTE: Final[ContextVar[str]] = ContextVar("route", default="")
"""The route of the request that is being answered: its path with the names of its parameters."""

OBSERVERS: Final[list[Answered]] = []
"""What learns of each answered request; empty unless something reports them."""
