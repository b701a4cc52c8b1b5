"""The servers of `make cluster`: they outlive the command that starts them, and a file lists them."""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from devservers.errors import ServerError
from devservers.jars import locked
from devservers.processes import Identity
from devservers.servers import KINDS, Server, make

VARIABLES = {
    "kafka": "CODEPARK_KAFKA_BOOTSTRAP_SERVERS",
    "mongo": "CODEPARK_MONGODB_URI",
    "valkey": "CODEPARK_REDIS_URL",
}

Progress = Callable[[str, str], None]
"""Gets the name of a server and what happens to it."""


@dataclass(frozen=True)
class Entry:
    """A server that was started: its address, its port, and its process."""

    kind: str
    address: str
    port: int
    identity: Identity

    @property
    def running(self) -> bool:
        """Whether that very process still runs."""
        return self.identity.alive()


def default_folder() -> Path:
    """Return the folder of this user's servers."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "codepark" / "cluster"


class Fleet:
    """The servers over one folder. Two commands at once take turns."""

    def __init__(self, folder: Path) -> None:
        """Keep data, logs and the list of what runs in *folder*."""
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)

    def entries(self) -> dict[str, Entry]:
        """Return the servers that were started and not stopped; some may have ended by themselves."""
        if not self._file.exists():
            return {}
        stored = json.loads(self._file.read_text(encoding="utf-8"))
        return {
            kind: Entry(kind, entry["address"], entry["port"], Identity(**entry["identity"]))
            for kind, entry in stored.items()
        }

    def start(
        self, kinds: Iterable[str] = tuple(KINDS), progress: Progress = lambda _kind, _text: None
    ) -> dict[str, Entry]:
        """Start what does not run and return all that runs; raises ServerError, and ends what it started."""
        with self._turn():
            entries = {kind: entry for kind, entry in self.entries().items() if entry.running}
            servers = {kind: self._adopted(entry) for kind, entry in entries.items()}
            started: list[Server] = []
            try:
                for kind in (kind for kind in kinds if kind not in entries):
                    progress(kind, "starts")
                    servers[kind] = make(kind, self.folder / kind, attached=False)
                    started.append(servers[kind])
                    entries[kind] = _launched(kind, servers[kind])
                    self._write(entries)  # before it is ready: from now on, `stop` ends it
                for kind, server in servers.items():
                    server.wait_ready()
                    progress(kind, "answers")
            except BaseException:
                for server in started:
                    server.kill()
                self._write({kind: entry for kind, entry in entries.items() if entry.running})
                raise
            return entries

    def stop(self, progress: Progress = lambda _kind, _text: None) -> list[Entry]:
        """End the servers of this folder that run, and nothing else; return them."""
        with self._turn():
            running = [entry for entry in self.entries().values() if entry.running]
            for entry in running:
                progress(entry.kind, "stops")
                entry.identity.end(KINDS[entry.kind].stop_seconds)
                progress(entry.kind, "ended")
            remaining = {entry.kind: entry for entry in running if entry.running}
            self._write(remaining)
            if remaining:
                raise ServerError(f"still running: {', '.join(sorted(remaining))}")
            return running

    @property
    def _file(self) -> Path:
        return self.folder / "state.json"

    def _adopted(self, entry: Entry) -> Server:
        return make(entry.kind, self.folder / entry.kind, attached=False, port=entry.port).adopt(
            entry.identity
        )

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with locked(self.folder / "lock"):
            yield

    def _write(self, entries: dict[str, Entry]) -> None:
        stored = {
            kind: {"address": entry.address, "port": entry.port, "identity": asdict(entry.identity)}
            for kind, entry in entries.items()
        }
        write_whole(self._file, json.dumps(stored, indent=2) + "\n")


def write_whole(file: Path, text: str) -> None:
    """Write *file* so that no reader sees a part of it."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _launched(kind: str, server: Server) -> Entry:
    server.launch()
    return Entry(kind, server.address, server.port, server.identity)
