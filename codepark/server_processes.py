"""Several server processes on one port, each a node with a data folder of its own (cluster profile)."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import structlog

from codepark.log_level import LOG_LEVEL, Hangups, share_level, shared_level
from codepark.settings import Settings
from commands.environment import SettingsError
from processes.parent_death import ending_with_parent

_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.1
_RESTART_SECONDS = 1.0
_ORDERLY = {0, -signal.SIGTERM}
"""Exit codes of an end in order; a process that is still starting is ended by the signal itself."""

logger = structlog.get_logger(__name__)


class ServerProcesses:
    """Start the processes, start one again that ends by itself, and end all of them in order.

    The kernel distributes new connections among them. A connection that a process has not accepted when it
    ends is lost, as with any server that ends: a proxy tries again.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        """Run *count* processes; raises SettingsError in the embedded profile, whose log one process owns."""
        if settings.kafka is None:
            raise SettingsError(
                "--workers takes more than 1 in the cluster profile only: one process owns the embedded log"
            )
        self._settings = settings
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._count = count
        self._level = settings.log_level
        self._ended = threading.Event()
        # Sockets in it: private by mkdtemp, and short, as the path of a socket must be.
        self._folder = Path(tempfile.mkdtemp(prefix="codepark-", dir="/tmp"))

    def serve(self) -> int:
        """Serve until SIGTERM or SIGINT; return 0 where every process ended in order, else 1."""
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: self._ended.set())
        Hangups(self._settings.log_level_file, self._settings.log_level, self._change_level).follow()
        try:
            for number in range(1, self._count + 1):
                self._processes[number] = self._start(number)
            while not self._ended.wait(_LOOK_SECONDS):
                self._restart_ended()
                self._follow_level()
        finally:
            status = self._stop()
            shutil.rmtree(self._folder, ignore_errors=True)
        return status

    def _restart_ended(self) -> None:
        for number, process in self._processes.items():
            if process.poll() is not None and not self._ended.wait(_RESTART_SECONDS):
                logger.warning("a worker ended, starting it again", worker=number, status=process.returncode)
                self._processes[number] = self._start(number)

    def _change_level(self, name: str) -> None:
        LOG_LEVEL.change(name)
        share_level(self._folder, name)

    def _follow_level(self) -> None:
        """Pass on the level that SIGHUP brought, or that an operation in one of the processes set."""
        level = shared_level(self._folder) or self._level
        if level != self._level:
            self._level = level
            LOG_LEVEL.change(level)
            for process in self._processes.values():
                process.send_signal(signal.SIGHUP)

    def _stop(self) -> int:
        for process in self._processes.values():
            process.terminate()
        statuses = []
        for process in self._processes.values():
            try:
                statuses.append(process.wait(_STOP_SECONDS))
            except subprocess.TimeoutExpired:
                process.kill()
                statuses.append(process.wait())
        return 0 if set(statuses) <= _ORDERLY else 1

    def _start(self, number: int) -> "subprocess.Popen[bytes]":
        """Start a process, in which SIGHUP waits until it knows what to do with it."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            return self._started(number)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _started(self, number: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 # our own command
            [
                sys.executable,
                "-m",
                "codepark.cli",
                "serve",
                "--port",
                str(self._settings.port),
                "--data",
                str(folder_of(self._settings.data, number)),
                "--processes",
                str(self._folder),
            ],
            env={**os.environ, **self._address(number)},
            start_new_session=True,  # Ctrl-C in the terminal reaches this process, which ends the others
            preexec_fn=ending_with_parent(signal.SIGTERM),  # noqa: PLW1509 # calls nothing but prctl
        )

    def _address(self, number: int) -> dict[str, str]:
        """Return where other nodes reach a process: at the port of the settings, and the following ones."""
        if self._settings.node_address is None:
            return {}
        host, _, port = self._settings.node_address.rpartition(":")
        return {"CODEPARK_NODE_ADDRESS": f"{host}:{int(port) + number - 1}"}


def folder_of(data: Path, number: int) -> Path:
    """Return the data folder of a process."""
    return data / f"worker-{number}"
