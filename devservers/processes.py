"""Processes that are known by more than their number, and how they are started and ended."""

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from processes.parent_death import ending_with_parent

_POLL_SECONDS = 0.05
_THREADS = 16
"""Where `stat` has the number of threads, after the state: a killed process has its ports until all ended."""

# A child gets PDEATHSIG when the *thread* that forked it ends; this one lives as long as the process.
_forker = ThreadPoolExecutor(1, thread_name_prefix="forker")


def wait_for(
    condition: Callable[[], bool],
    seconds: float,
    *,
    every: float = _POLL_SECONDS,
    pause: Callable[[float], object] = time.sleep,
) -> bool:
    """Wait until *condition* holds, for at most *seconds*, and return whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        pause(every)
    return True


@dataclass(frozen=True)
class Identity:
    """A process: its number and when it began. A later process with the same number is another one."""

    pid: int
    birth: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Return the identity of the process that has the number *pid* now."""
        birth, ended = _birth(pid)
        return None if birth is None or ended else cls(pid, birth)

    def alive(self) -> bool:
        """Return whether the process runs or is stopped; one that only waits to be reaped has ended."""
        return _birth(self.pid) == (self.birth, False)

    def signal(self, number: int) -> bool:
        """Send a signal to this process, never to a later one of its number; return whether it was there."""
        if not hasattr(os, "pidfd_open"):
            return self.alive() and _sent(lambda: os.kill(self.pid, number))
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:  # what is true of the process once its handle is open stays true of what the handle names
            return self.alive() and _sent(lambda: signal.pidfd_send_signal(handle, number))
        finally:
            os.close(handle)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped process gets the other signal only when it continues

    def end(self, seconds: float) -> bool:
        """Ask the process to end, and kill it after *seconds*; return whether it ended by itself."""
        self.terminate()
        if wait_for(lambda: not self.alive(), seconds):
            return True
        self.signal(signal.SIGKILL)
        wait_for(lambda: not self.alive(), seconds)
        return False


def spawn(
    command: Sequence[str],
    *,
    output: Path,
    attached: bool,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start *command* and append its output to a file; its *environment* and *folder* are by default our own.

    An *attached* process ends with this one: on Linux however this one ends, elsewhere after a normal exit.
    """
    before_exec = ending_with_parent(signal.SIGKILL) if attached else None
    with output.open("ab") as log:
        process: subprocess.Popen[bytes] = _forker.submit(
            subprocess.Popen,
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,  # Ctrl-C in the terminal is for the parent
            preexec_fn=before_exec,
        ).result()
    if attached and before_exec is None:
        atexit.register(process.kill)
    return process


def reaped(child: "subprocess.Popen[bytes]") -> Identity:
    """Return the child's identity; a thread waits for its end, so that none stays in the process table."""
    birth, _ended = _birth(child.pid)  # an ended child has one too, until its exit code is taken
    threading.Thread(target=child.wait, name=f"reaper-{child.pid}", daemon=True).start()
    return Identity(child.pid, birth or "unknown")


def _sent(send: Callable[[], None]) -> bool:
    try:
        send()
    except ProcessLookupError:
        return False
    return True


def _birth(pid: int) -> tuple[str | None, bool]:
    """Return when the process began, in a form to compare, and whether it has ended."""
    return _birth_by_proc(pid) if sys.platform == "linux" else _birth_by_psutil(pid)


def _birth_by_proc(pid: int) -> tuple[str | None, bool]:
    # Ticks since the boot do not move when the clock is set; with them stands which boot it was.
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
