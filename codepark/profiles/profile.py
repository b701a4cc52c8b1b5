"""What the composition of either profile offers to the server and the command line."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from codepark.data_directory import DataDirectory
from codepark.settings import Settings
from commands.bus import Bus
from commands.intake.intake import Intake
from commands.keys import KeyStore
from commands.log import EventLog
from commands.nodes.listener import NodeListener
from commands.partitions import Logs
from commands.secrets import Secrets
from projections.model import ReadModel
from projections.progress import Progress
from projections.store import DocumentStore
from read_api.query_services import ChangedResource, Queries


class Log(EventLog, Protocol):
    """An event log whose chain can be checked from its start."""

    def first_chain(self) -> bytes:
        """Return the predecessor of the first record."""
        ...


class Profile(Protocol):
    """The parts of one process, opened in order and closed in reverse."""

    @property
    def settings(self) -> Settings:
        """Return what the process was told."""
        ...

    @property
    def directory(self) -> DataDirectory:
        """Return the data directory, held."""
        ...

    @property
    def node_listener(self) -> NodeListener | None:
        """Return what other nodes hand commands to."""
        ...

    @property
    def secrets(self) -> Secrets:
        """Return the keys derived from the secret."""
        ...

    @property
    def keys(self) -> KeyStore:
        """Return the keys of people."""
        ...

    @property
    def logs(self) -> Logs[Any]:
        """Return the event log of each partition; each is a `Log`."""
        ...

    @property
    def bus(self) -> Bus:
        """Return the command bus."""
        ...

    @property
    def intake(self) -> Intake:
        """Return the way from input to submissions."""
        ...

    @property
    def progress(self) -> Progress:
        """Return how far the read models are."""
        ...

    @property
    def store(self) -> DocumentStore:
        """Return the read models."""
        ...

    @property
    def queries(self) -> Queries:
        """Return the query objects."""
        ...

    @property
    def models(self) -> tuple[ReadModel, ...]:
        """Return every read model."""
        ...

    @property
    def past(self) -> Callable[[str, int], Queries]:
        """Return queries over a project's past."""
        ...

    @property
    def changed_resource(self) -> ChangedResource | None:
        """Return what shows a command's result without the read models."""
        ...

    @property
    def remote(self) -> bool:
        """Return whether the read models are behind a network and kept by other processes."""
        ...

    @property
    def main_models(self) -> tuple[str, ...]:
        """Return the names of the models that every query waits for."""
        ...

    def start(self) -> None:
        """Start what works in the background."""
        ...

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until commands can be carried out; raises LogUnavailableError after *seconds*."""
        ...

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiters in *loop*."""
        ...

    async def end_in_loop(self) -> None:
        """Close what belongs to the event loop of the server."""
        ...

    def behind(self) -> list[str]:
        """Name the parts that are not ready."""
        ...

    def catch_up(self, advanced: Callable[[int, int], None], seconds: float = 120.0) -> None:
        """Wait until every model includes the log's present end."""
        ...

    def rebuild(self, model: ReadModel, progress: Callable[[int, int], None] | None) -> int:
        """Rebuild *model* beside the live one, switch, and return how many events it includes."""
        ...

    def retry_dead_letters(self) -> dict[str, int]:
        """Retry every dead letter; return how many were `solved` and how many are `left`."""
        ...

    def scrub(self) -> None:
        """Leave nothing of what was overwritten in the files of the read models."""
        ...

    def forget_answers(self) -> None:
        """Forget every composed answer, here and where processes share them."""
        ...

    def rotate_master_key(self) -> dict[str, int]:
        """Wrap the keys of people anew with the newest master key; return its `version` and how many were `wrapped`."""
        ...

    def close(self) -> None:
        """Answer what waits, stop, and let everything go."""
        ...
