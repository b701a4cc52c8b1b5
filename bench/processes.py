"""Servers under measure: started, waited for, weighed with all of their processes, and ended."""

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import psutil

from bench.connection import ask, run
from bench.wire import WireError, request
from devservers.program import Program


def answers_ready(port: int) -> bool:
    """Return whether the server on *port* says that it is ready."""
    return _status(port, request("GET", "/health/ready")) == 200


class Server(Program):
    """A server that listens on *port*, with the processes that it starts and those of *also*."""

    ready_seconds: ClassVar[float] = 120.0
    stop_seconds: ClassVar[float] = 30.0
    look_seconds: ClassVar[float] = 0.01

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        port: int,
        *,
        folder: Path,
        env: Mapping[str, str],
        also: Sequence[int] = (),
        ready: Callable[[int], bool] = answers_ready,
    ) -> None:
        """Start nothing yet; *env* is added to the variables of this process."""
        super().__init__(name, folder / f"{name}.log")
        self.port = port
        self.also = also
        self._arguments = command
        self._env = env
        self._ready = ready

    @property
    def variables(self) -> Mapping[str, str]:
        """All environment variables of the process."""
        return {**os.environ, **self._env}

    def answers(self) -> bool:
        """Return whether the server is ready."""
        return self._ready(self.port)

    def resident_bytes(self) -> int:
        """Return the resident memory of all processes; what they share counts once."""
        sizes = [_memory(process) for process in self._all()]
        return sum(own for own, _ in sizes) + max((shared for _, shared in sizes), default=0)

    def cpu_seconds(self) -> float:
        """Return the processor time that the same processes have used."""
        return sum(_cpu_seconds(process) for process in self._all())

    def stop(self) -> int | None:
        """End the server in order, and kill it with all of its processes after `stop_seconds`."""
        tree = self._tree()
        code = super().stop()
        _kill(tree)
        return code

    def kill(self) -> None:
        """End the server and its processes at once."""
        tree = self._tree()
        super().kill()
        _kill(tree)

    def pause(self) -> None:
        """Stop the server and its processes: connections stay open, and nothing answers."""
        for process in self._tree():
            process.suspend()

    def resume(self) -> None:
        """Let paused processes continue."""
        for process in self._tree():
            process.resume()

    def _command(self) -> Sequence[str]:
        return self._arguments

    def _tree(self) -> list[psutil.Process]:
        return _tree(self.pid) if self.running else []

    def _all(self) -> list[psutil.Process]:
        return [process for pid in (self.pid, *self.also) for process in _tree(pid)]


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
    """Start *command*; return the server and the seconds until it was *ready*; raises ServerError."""
    server = Server(name, command, port, folder=folder, env=env, also=also, ready=ready)
    began = time.perf_counter()
    server.start()
    return server, time.perf_counter() - began


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def carries_out(sent: bytes) -> Callable[[int], bool]:
    """Return a test whether the server on a port answers the request *sent* with success."""
    return lambda port: 200 <= (_status(port, sent) or 0) < 300


def _status(port: int, sent: bytes) -> int | None:
    """Return the status of the answer to the request *sent*, None without an answer."""
    try:
        return run(ask(port, sent, 5)).status
    except (OSError, TimeoutError, WireError):
        return None


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Return the bytes that belong to the process alone, and those that others may share."""
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
