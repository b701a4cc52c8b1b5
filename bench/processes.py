"""Start servers, wait until they are ready, weigh them, and end them by their own process id."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.connection import ask, run
from bench.wire import WireError, request

_READY_SECONDS = 120.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.01


def answers_ready(port: int) -> bool:
    """Tell whether the server on *port* says that it is ready."""
    return _answered(port, request("GET", "/health/ready")) == 200


class ServerError(Exception):
    """A server did not start, or ended before its time."""


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@dataclass
class Server:
    """A server in a process of its own."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    also: Sequence[int] = field(default_factory=tuple)

    def resident_bytes(self) -> int:
        """Return the resident memory of the whole tree: what each has for itself, and what they share once."""
        found = [_memory(process) for process in self._tree()]
        return sum(own for own, _ in found) + max((shared for _, shared in found), default=0)

    def cpu_seconds(self) -> float:
        """Return the processor time that the same processes have used."""
        return sum(_cpu_seconds(process) for process in self._tree())

    def stop(self) -> None:
        """End the server politely, and its whole tree where that takes too long."""
        if self.process.poll() is not None:
            return
        tree = _tree(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for process in tree:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """End the whole tree at once."""
        for process in _tree(self.process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(_STOP_SECONDS)

    def pause(self) -> None:
        """Stop the tree's clock: its connections stay open, and nothing answers."""
        for process in _tree(self.process.pid):
            process.suspend()

    def resume(self) -> None:
        """Let a paused tree go on."""
        for process in _tree(self.process.pid):
            process.resume()

    def last_words(self) -> str:
        """Return the end of what the server printed."""
        return self.log.read_text(errors="replace")[-2000:]

    def _tree(self) -> list[psutil.Process]:
        return [process for pid in (self.process.pid, *self.also) for process in _tree(pid)]


def start(
    name: str,
    command: Sequence[str],
    port: int,
    *,
    folder: Path,
    env: Mapping[str, str],
    also: Sequence[int] = (),
    ready: Callable[[int], bool] = answers_ready,
) -> tuple[Server, float]:
    """Start *command*; return the server and the seconds until it was *ready*; raise ServerError."""
    log = folder / f"{name}.log"
    began = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(name, port, process, log, also)
    try:
        _wait_ready(server, began, ready)
    except BaseException:
        server.stop()
        raise
    return server, time.perf_counter() - began


def _wait_ready(server: Server, began: float, ready: Callable[[int], bool]) -> None:
    while time.perf_counter() - began < _READY_SECONDS:
        if server.process.poll() is not None:
            raise ServerError(f"{server.name} ended with {server.process.returncode}: {server.last_words()}")
        if ready(server.port):
            return
        time.sleep(_POLL_SECONDS)
    raise ServerError(f"{server.name} was not ready in {_READY_SECONDS:.0f} s: {server.last_words()}")


def carries_out(asked: bytes) -> Callable[[int], bool]:
    """Return a test whether a server answers *asked* with success."""
    return lambda port: 200 <= (_answered(port, asked) or 0) < 300


def _answered(port: int, asked: bytes) -> int | None:
    try:
        return run(ask(port, asked, 5)).status
    except (OSError, TimeoutError, WireError):
        return None


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Return the bytes that the process has for itself, and those that others may share."""
    try:
        resident: int = process.memory_info().rss
        own = resident
        with contextlib.suppress(psutil.AccessDenied):
            own = getattr(process.memory_full_info(), "uss", resident)
    except psutil.NoSuchProcess:
        return 0, 0
    return own, resident - own


def _cpu_seconds(process: psutil.Process) -> float:
    """Return the processor time of the process and of the children that it has outlived."""
    try:
        times = process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)
