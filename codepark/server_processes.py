"""Several processes that serve on one port, each a node with a data folder of its own (cluster profile)."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import structlog

from codepark.settings import Settings
from commands.environment import SettingsError
from processes.parent_death import ending_with_parent

_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.1
_RESTART_SECONDS = 1.0
_ORDERLY = {0, -signal.SIGTERM}
"""A member that is still starting has nothing to end in order: the signal ends it."""

logger = structlog.get_logger(__name__)


class Team:
    """Starts the members, starts again who ends by itself, and ends all of them in order.

    The kernel shares new connections out among the members. Those that one member has not taken when it ends are lost
    with it, as with any server that ends: a proxy tries again.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        """Have *count* members. Raises SettingsError in the embedded profile, whose log one process owns."""
        if settings.kafka is None:
            raise SettingsError(
                "--workers takes more than 1 in the cluster profile alone: the embedded log has one owner"
            )
        self._settings = settings
        self._members: dict[int, subprocess.Popen[bytes]] = {}
        self._count = count
        self._ended = threading.Event()

    def serve(self) -> int:
        """Serve until SIGTERM or SIGINT; return 0 where every member ended in order, else 1."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())
        for member in range(1, self._count + 1):
            self._members[member] = self._start(member)
        while not self._ended.wait(_LOOK_SECONDS):
            for member, process in self._members.items():
                if process.poll() is not None and not self._ended.wait(_RESTART_SECONDS):
                    logger.warning(
                        "a worker ended, starting it again", worker=member, status=process.returncode
                    )
                    self._members[member] = self._start(member)
        return self._stop()

    def _stop(self) -> int:
        for process in self._members.values():
            process.terminate()
        statuses = []
        for process in self._members.values():
            try:
                statuses.append(process.wait(_STOP_SECONDS))
            except subprocess.TimeoutExpired:
                process.kill()
                statuses.append(process.wait())
        return 0 if set(statuses) <= _ORDERLY else 1

    def _start(self, member: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 # our own command
            [
                sys.executable,
                "-m",
                "codepark.cli",
                "serve",
                "--port",
                str(self._settings.port),
                "--data",
                str(folder_of(self._settings.data, member)),
                "--port-is-shared",
            ],
            env={**os.environ, **self._address(member)},
            start_new_session=True,  # a Ctrl-C in the terminal is ours to hand on
            preexec_fn=ending_with_parent(signal.SIGTERM),  # noqa: PLW1509 # calls nothing but prctl
        )

    def _address(self, member: int) -> dict[str, str]:
        """Return where other nodes reach a member: the ports from that of the settings on."""
        if self._settings.node_address is None:
            return {}
        host, _, port = self._settings.node_address.rpartition(":")
        return {"CODEPARK_NODE_ADDRESS": f"{host}:{int(port) + member - 1}"}


def folder_of(data: Path, member: int) -> Path:
    """Return the data folder of a member."""
    return data / f"worker-{member}"
