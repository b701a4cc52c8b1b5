"""What all servers have in common: a process, a folder, ports that stay, and a question that shows it works."""

import json
import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from devservers.errors import MissingError, ServerError
from devservers.processes import Identity, free_port, is_free, reaped, spawn, wait_for

_LOG_END = 2_000


class Server(ABC):
    """A server in a process of its own, on 127.0.0.1. Its data stays in *folder*, its port stays the same.

    An *attached* server ends with the process that started it, the other one outlives it.
    """

    name: ClassVar[str]
    client: ClassVar[str]
    """The package of the client that asks whether the server answers."""
    ready_seconds: ClassVar[float] = 30.0
    stop_seconds: ClassVar[float] = 10.0

    def __init__(self, folder: Path, *, port: int | None = None, attached: bool = True) -> None:
        """Make the folder and take the port, or find a free one; nothing runs yet."""
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or self.take_port("client")
        self._attached = attached
        self._identity: Identity | None = None

    @property
    @abstractmethod
    def address(self) -> str:
        """What a client is told."""

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
    def output(self) -> Path:
        """The file of what the server prints."""
        return self.folder / "output.log"

    def take_port(self, purpose: str) -> int:
        """Return the port that this folder had before, where it is still free, or a new one."""
        file = self.folder / "ports.json"
        ports: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        if not is_free(ports.get(purpose)):
            ports[purpose] = free_port()
            file.write_text(json.dumps(ports), encoding="utf-8")
        return ports[purpose]

    def start(self) -> Self:
        """Start the server and wait until it answers; raise ServerError where it does not."""
        try:
            self.launch()
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def launch(self) -> None:
        """Start the process, and wait for nothing."""
        if self.running:
            raise ServerError(f"{self.name} runs already")
        if find_spec(self.client) is None:
            raise MissingError(f"to ask {self.name} whether it answers, the package {self.client} is needed")
        self._prepare()
        self._identity = reaped(spawn(self._command(), output=self.output, attached=self._attached))

    def adopt(self, identity: Identity) -> Self:
        """Take a process that runs already, over the same folder and port, for this server's."""
        self._identity = identity
        return self

    def wait_ready(self, seconds: float | None = None) -> None:
        """Wait until the server answers as a client needs it; raise ServerError with its last words."""
        limit = seconds or self.ready_seconds
        if not wait_for(lambda: not self.running or self.answers(), limit):
            raise ServerError(f"{self.name} did not answer within {limit:.0f} s: {self.last_words()}")
        if not self.running:
            raise ServerError(f"{self.name} ended: {self.last_words()}")

    def stop(self) -> None:
        """End the server in order; where that takes too long, at once."""
        if self._identity is not None:
            self._identity.end(self.stop_seconds)

    def kill(self) -> None:
        """End the server as the kernel does when memory runs out: it gets no chance to say goodbye."""
        if self._identity is not None:
            self._identity.signal(signal.SIGKILL)
            wait_for(lambda: not self.running, self.stop_seconds)

    def pause(self) -> None:
        """Stop the clock for the server: its connections stay open, and nothing answers."""
        self.identity.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self.identity.signal(signal.SIGCONT)

    def restart(self) -> Self:
        """Stop the server where it runs, and start it on the same ports and data."""
        self.stop()
        return self.start()

    def last_words(self) -> str:
        """Return the end of what the server printed."""
        if not self.output.exists():
            return "it printed nothing"
        return self.output.read_text(encoding="utf-8", errors="replace")[-_LOG_END:].strip()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the server serves a client now."""

    @abstractmethod
    def _command(self) -> Sequence[str]: ...

    def _prepare(self) -> None:  # noqa: B027 # most have nothing to prepare
        """Write what the server needs before its first start."""
