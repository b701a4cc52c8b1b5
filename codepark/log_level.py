"""The level of the log, and what changes it while a process runs: an operation, or SIGHUP."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from structlog.typing import FilteringBoundLogger

from domain.errors import InvalidError
from telemetry.trace_lines import write_trace_lines

LEVELS: Final[Mapping[str, int]] = {
    "trace": 5,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
"""Every level by its name, the one with the most lines first."""

_SHARED_FILE: Final = "log-level"
_TERMINAL: Final = "/dev/tty"

logger = structlog.get_logger(__name__)


class ChangeableLogger(structlog.BoundLoggerBase):
    """A logger whose methods are exchanged when the level changes.

    The methods of structlog's own loggers do nothing below their level, and so these cost what those do. All
    loggers of the process change at once, also those that were bound before.
    """

    def trace(self, event: str, **facts: Any) -> Any:
        """Write a line of the level trace; `telemetry.trace_lines` asks whether there are such lines."""
        return self._proxy_to_logger("trace", event, **facts)


class LogLevel:
    """The level of this process."""

    def __init__(self) -> None:
        """Begin with `info`."""
        self._lock = threading.Lock()
        self.name = "info"

    def set(self, name: str) -> None:
        """Log from the level *name* up: our own loggers, and those of other packages."""
        with self._lock:
            filtered = _filtered(max(LEVELS[name], logging.DEBUG))
            for attribute, value in vars(filtered).items():
                if not attribute.startswith("__"):
                    setattr(ChangeableLogger, attribute, value)
            write_trace_lines(on=name == "trace")
            logging.getLogger().setLevel(level_of_others(name))
            self.name = name

    def change(self, name: str) -> None:
        """Log from the level *name* up, and say so in the log, at whichever level shows it."""
        if name == self.name:
            return
        before, quieter = self.name, LEVELS[name] > LEVELS[self.name]
        if quieter:
            logger.warning("log level changed", now=name, before=before)
        self.set(name)
        if not quieter:
            logger.warning("log level changed", now=name, before=before)


def _filtered(number: int) -> type[FilteringBoundLogger]:
    return structlog.make_filtering_bound_logger(number)


LOG_LEVEL: Final = LogLevel()


def level_of_others(name: str) -> str:
    """Return the level of the loggers of other packages: warnings, unless ours says otherwise."""
    if name in ("trace", "debug"):
        return "DEBUG"
    return "ERROR" if name == "error" else "WARNING"


def checked_level(name: str) -> str:
    """Return the level that is called *name*, in any case; raises InvalidError where none is."""
    if name.strip().lower() not in LEVELS:
        raise InvalidError(f"there is no log level {name.strip()!r}; there are {', '.join(LEVELS)}")
    return name.strip().lower()


def shared_file(processes: Path) -> Path:
    """Return where processes that share a port, which meet in the folder *processes*, read their level."""
    return processes / _SHARED_FILE


def shared_level(processes: Path | None) -> str | None:
    """Return the level that processes which share a port have changed to, None where they have not.

    *processes* is the folder in which they meet.
    """
    try:
        return None if processes is None else checked_level(shared_file(processes).read_text())
    except (OSError, InvalidError):
        return None


def share_level(processes: Path | None, name: str) -> None:
    """Tell the processes that share a port the level: the one that started them signals them."""
    if processes is not None:
        written = shared_file(processes).with_suffix(f".{os.getpid()}")
        written.write_text(name)
        written.replace(shared_file(processes))  # at once: nobody reads half a name


class Hangups:
    """What SIGHUP does: it reads the level from a file, or switches between the start's level and debug.

    Where a terminal was closed, SIGHUP ends the process as SIGTERM does.
    """

    def __init__(
        self,
        file: Path | None,
        start: str,
        change: Callable[[str], None] = LOG_LEVEL.change,
    ) -> None:
        """Read *file*; without one, switch between *start* and debug (from debug: info)."""
        self._file = file
        self._start = start
        self._other = "info" if start == "debug" else "debug"
        self._change = change
        self._on_terminal = _has_terminal()

    def follow(self) -> None:
        """Act on SIGHUP from now on; only the main thread may call this."""
        signal.signal(signal.SIGHUP, lambda *_: self._arrived())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def _arrived(self) -> None:
        """Leave the work to a thread: the signal may have interrupted the writing of a line."""
        threading.Thread(target=self.act, name="log-level", daemon=True).start()

    def act(self) -> None:
        """Change the level; a file that names none leaves it as it is."""
        if self._on_terminal and not _has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        if self._file is None:
            self._change(self._other if LOG_LEVEL.name == self._start else self._start)
            return
        try:
            self._change(checked_level(self._file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("the log level was not read", reason=type(error).__name__)
        except InvalidError as error:
            logger.warning("the log level was not read", reason=error.message)


def _has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
