"""Processes that are known by more than their number, and how they are started and ended."""

import atexit
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.05
_THREADS = 16
"""Where the number of threads stands behind the state: while others of a killed process end, its ports are taken."""
# Below the ports that the kernel gives to outgoing connections: nobody takes one while its server restarts.
_PORTS = range(15_000, 32_000)

# Loaded before any fork: nothing may be imported between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
# PDEATHSIG fires when the *thread* that forked ends; this one lives as long as the process.
_forker = ThreadPoolExecutor(1, thread_name_prefix="forker")


def wait_for(
    condition: Callable[[], bool], seconds: float, *, pause: Callable[[float], object] = time.sleep
) -> bool:
    """Wait until *condition* holds, at most *seconds*; tell whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        pause(_POLL_SECONDS)
    return True


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that no outgoing connection will get."""
    for _ in range(200):
        port = random.choice(_PORTS)  # noqa: S311 # only two processes that ask at once should differ
        if is_free(port):
            return port
    raise OSError(f"no free port from {_PORTS.start} to {_PORTS.stop - 1}")


def is_free(port: int | None) -> bool:
    """Tell whether a server could listen on this loopback port."""
    if port is None:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Identity:
    """A process: its number and when it began. A number that another process got later is not this one."""

    pid: int
    birth: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Return the identity of the process that has the number *pid* now."""
        birth, ended = _birth(pid)
        return None if birth is None or ended else cls(pid, birth)

    def alive(self) -> bool:
        """Tell whether the process runs, or is stopped; one that only waits to be reaped has ended."""
        return _birth(self.pid) == (self.birth, False)

    def signal(self, number: int) -> bool:
        """Send a signal to this process, never to a later one of the same number; tell whether it was there."""
        if not hasattr(os, "pidfd_open"):
            return self.alive() and _sent(lambda: os.kill(self.pid, number))
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:  # what is checked after the handle was opened is true of the process behind it
            return self.alive() and _sent(lambda: signal.pidfd_send_signal(handle, number))
        finally:
            os.close(handle)

    def end(self, seconds: float) -> None:
        """Ask the process to end, and make it end after *seconds*."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped process hears of it only when it goes on
        if not wait_for(lambda: not self.alive(), seconds):
            self.signal(signal.SIGKILL)
            wait_for(lambda: not self.alive(), seconds)


def spawn(command: Sequence[str], *, output: Path, attached: bool) -> "subprocess.Popen[bytes]":
    """Start *command*, its output appended to a file. An *attached* one ends with this process.

    On Linux the kernel sees to that, however this process ends; elsewhere a normal exit does.
    """
    with output.open("ab") as log:
        process: subprocess.Popen[bytes] = _forker.submit(
            subprocess.Popen,
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for the parent
            preexec_fn=_end_with_parent if attached and _libc is not None else None,
        ).result()
    if attached and _libc is None:
        atexit.register(process.kill)
    return process


def reaped(child: "subprocess.Popen[bytes]") -> Identity:
    """Return who the child is, and see to it that it leaves the table of processes when it has ended."""
    birth, _ended = _birth(child.pid)  # an ended child has one too, until somebody waits for it
    threading.Thread(target=child.wait, name=f"reaper-{child.pid}", daemon=True).start()
    return Identity(child.pid, birth or "unknown")


def _end_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _sent(send: Callable[[], None]) -> bool:
    try:
        send()
    except ProcessLookupError:
        return False
    return True


def _birth(pid: int) -> tuple[str | None, bool]:
    """Return when the process began, in a form that only serves to compare, and whether it only waits to be reaped."""
    return _birth_by_proc(pid) if sys.platform == "linux" else _birth_by_psutil(pid)


def _birth_by_proc(pid: int) -> tuple[str | None, bool]:
    # Ticks since the boot, which do not move when the clock is set, and which boot it was.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None, True
    state, *rest = stat.rpartition(")")[2].split()
    return f"{boot}/{rest[18]}", state in {"Z", "X"} and int(rest[_THREADS]) <= 1


def _birth_by_psutil(pid: int) -> tuple[str | None, bool]:
    import psutil  # noqa: PLC0415 # not needed where there is /proc

    try:
        process = psutil.Process(pid)
        return repr(process.create_time()), process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None, True
