"""A program in a process of its own: started, waited for, ended; a start that fails leaves no process."""

import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from devservers.errors import ServerError
from devservers.processes import Identity, reaped, spawn, wait_for

_OUTPUT_END = 2_000


class Program(ABC):
    """A program with a *name*; what it prints is appended to the file *output*.

    An *attached* program ends with the process that started it, another one outlives it. A subclass says what
    to run (`_command`), with which *variables*, and when it serves its clients (`answers`).
    """

    ready_seconds: ClassVar[float] = 30.0
    stop_seconds: ClassVar[float] = 10.0
    look_seconds: ClassVar[float] = 0.05

    def __init__(self, name: str, output: Path, *, attached: bool = True) -> None:
        """Start nothing yet."""
        self.name = name
        self.output = output
        self._attached = attached
        self._child: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None

    @property
    def identity(self) -> Identity:
        """The process; raises ServerError before the first start."""
        if self._identity is None:
            raise ServerError(f"{self.name} was not started")
        return self._identity

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.identity.pid

    @property
    def running(self) -> bool:
        """Whether the process runs, or is paused."""
        return self._identity is not None and self._identity.alive()

    @property
    def variables(self) -> Mapping[str, str] | None:
        """All environment variables of the process; None for those of this one."""
        return None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process; None while it runs, and where another process started it."""
        return None if self._child is None else self._child.poll()

    def start(self) -> Self:
        """Start the program and wait until it answers; raises ServerError, and then leaves no process."""
        try:
            self.launch()
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def launch(self) -> None:
        """Start the process without waiting for it; raises ServerError where it runs already."""
        if self.running:
            raise ServerError(f"{self.name} runs already")
        self._child = spawn(
            self._command(), output=self.output, attached=self._attached, environment=self.variables
        )
        self._identity = reaped(self._child)

    def adopt(self, identity: Identity) -> Self:
        """Take a process that runs already for this program's."""
        self._child, self._identity = None, identity
        return self

    def wait_ready(self) -> None:
        """Wait until the program answers; raises ServerError."""
        self.wait_until(self.answers)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* holds of the running program; raises ServerError with its last output."""
        limit = self.ready_seconds
        if not wait_for(lambda: not self.running or condition(), limit, every=self.look_seconds):
            raise ServerError(f"{self.name} did not answer within {limit:.0f} s: {self.last_words()}")
        if not self.running:
            raise ServerError(f"{self.name} ended: {self.last_words()}")

    def ended(self, seconds: float | None = None) -> int:
        """Wait until the process has ended and return its exit code; raises ServerError while it runs."""
        child, limit = self._child, seconds or self.stop_seconds
        if child is None:
            raise ServerError(f"{self.name} was not started here")
        if not wait_for(lambda: child.poll() is not None, limit, every=self.look_seconds):
            raise ServerError(f"{self.name} did not end within {limit:.0f} s: {self.last_words()}")
        return child.returncode

    def terminate(self) -> None:
        """Ask the process to end."""
        self.identity.terminate()

    def stop(self) -> int | None:
        """End the program in order, or kill it after `stop_seconds`; return its exit code if it is known."""
        if self._identity is not None:
            self._identity.end(self.stop_seconds)
        return None if self._child is None else self.ended()

    def kill(self) -> None:
        """End the program as the kernel does when memory runs out: it has no chance to end in order."""
        if self._identity is not None:
            self._identity.signal(signal.SIGKILL)
            wait_for(lambda: not self.running, self.stop_seconds)

    def pause(self) -> None:
        """Stop the process: its connections stay open, and nothing answers."""
        self.identity.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process continue."""
        self.identity.signal(signal.SIGCONT)

    def restart(self) -> Self:
        """Stop the program where it runs, and start it again."""
        self.stop()
        return self.start()

    @property
    def printed(self) -> str:
        """All that the program printed."""
        return self.output.read_text(encoding="utf-8", errors="replace") if self.output.exists() else ""

    def last_words(self) -> str:
        """Return the end of what the program printed."""
        return self.printed[-_OUTPUT_END:].strip() or "it printed nothing"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answers(self) -> bool:
        """Return whether the program serves its clients now; unless a subclass asks, whether it runs."""
        return self.running

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Prepare what the program needs, and return it with its arguments."""
