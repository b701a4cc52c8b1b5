"""Watch the servers that a process needs: a line when one goes and when it returns, and which answer now."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog

_EVERY_SECONDS = 2.0
_AGAIN_SECONDS = 0.5
_GONE_AFTER = 2
_JOIN_SECONDS = 5.0

Ask = Callable[[], None]
"""Asks a server for anything; raises where it does not answer within a few seconds."""

logger = structlog.get_logger(__name__)


class WatchedServer:
    """One server, asked from a thread of its own: a slow one delays no other.

    It counts as away after two failures in a row: under load, one question may take too long.
    """

    def __init__(self, name: str, ask: Ask) -> None:
        """Ask the server *name*."""
        self.name = name
        self.answers = True
        self._ask = ask
        self._failures = 0
        self._since = 0.0

    def look(self) -> float:
        """Ask once; return the seconds until it is due again."""
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001 # whatever it is, there was no answer
            return self._failed(error)
        if not self.answers:
            logger.info(
                "server answers again", server=self.name, seconds=round(time.monotonic() - self._since)
            )
        self.answers, self._failures = True, 0
        return _EVERY_SECONDS

    def _failed(self, error: Exception) -> float:
        self._failures += 1
        if self._failures < _GONE_AFTER:
            self._since = time.monotonic()
            return _AGAIN_SECONDS
        if self.answers:
            self.answers = False
            logger.warning(
                "server does not answer", server=self.name, reason=f"{type(error).__name__}: {error}"
            )
        return _EVERY_SECONDS


class ServerWatch:
    """All servers of a process, by the names that people know them by."""

    def __init__(self, servers: Mapping[str, Ask]) -> None:
        """Watch *servers* from `start` on; until then, all count as answering."""
        self._servers = [WatchedServer(name, ask) for name, ask in servers.items()]
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(server,), name=f"watch-{server.name}", daemon=True)
            for server in self._servers
        ]

    def start(self) -> None:
        """Ask each server at once, and then again and again."""
        for thread in self._threads:
            thread.start()

    def answering(self) -> dict[str, bool]:
        """Return whether each server answers."""
        return {server.name: server.answers for server in self._servers}

    def close(self) -> None:
        """End the threads."""
        self._ended.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_JOIN_SECONDS)

    def _run(self, server: WatchedServer) -> None:
        while not self._ended.wait(server.look()):
            pass
