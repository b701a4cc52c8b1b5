"""The lines of the level `trace`, below debug: one for each batch that is appended, projected or stored.

They name models, partitions and numbers, and nothing that a person wrote.
"""

from typing import Any, Final

import structlog

_logger = structlog.get_logger(__name__)


class _Switch:
    """Whether the lines are written: `codepark.log_level` decides, and may do so while the process runs."""

    on = False


_SWITCH: Final = _Switch()


def write_trace_lines(*, on: bool) -> None:
    """Write the lines from now on, or write none."""
    _SWITCH.on = on


def traces() -> bool:
    """Return whether the lines are written: ask this before facts that take time to collect."""
    return _SWITCH.on


def trace(event: str, **facts: Any) -> None:
    """Write a line of the level trace, where that is the level of the log."""
    if _SWITCH.on:
        _logger.trace(event, **facts)
