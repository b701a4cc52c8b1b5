"""A development server: a program over a folder, with ports that stay, and a client that asks it."""

import json
from abc import abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from devservers.errors import MissingError
from devservers.ports import free_port, is_free
from devservers.program import Program


class Server(Program):
    """A server on 127.0.0.1. Its data stays in *folder*, its port stays the same."""

    kind: ClassVar[str]
    client: ClassVar[str]
    """The package of the client that asks whether the server answers."""

    def __init__(self, folder: Path, *, port: int | None = None, attached: bool = True) -> None:
        """Make the folder and take the port, or find a free one; nothing runs yet."""
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        super().__init__(self.kind, self.folder / "output.log", attached=attached)
        self.port = port or self.take_port("client")

    @property
    @abstractmethod
    def address(self) -> str:
        """The address that clients connect to."""

    def take_port(self, purpose: str) -> int:
        """Return the port that this folder had before, where it is still free, or a new one."""
        file = self.folder / "ports.json"
        ports: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        if not is_free(ports.get(purpose)):
            ports[purpose] = free_port()
            file.write_text(json.dumps(ports), encoding="utf-8")
        return ports[purpose]

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server serves a client now."""

    def launch(self) -> None:
        """Start the process without waiting for it; raises MissingError without the package of the client."""
        if find_spec(self.client) is None:
            raise MissingError(f"to ask {self.name} whether it answers, the package {self.client} is needed")
        super().launch()
