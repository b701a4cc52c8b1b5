"""What a process of either profile is made of, and what the server and the command line use of it."""

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from codepark.data_directory import DataDirectory
from codepark.past_queries import PastQueries
from codepark.profiles.maintenance import Advanced, Maintenance
from codepark.settings import Settings
from commands.bus import Bus
from commands.intake import Intake
from commands.keys import KeyStore
from commands.log import Selection
from commands.nodes.listener import NodeListener
from commands.partitions import Logs
from commands.secrets import Secrets
from domain.file.events import FileDeleted, FileWritten
from domain.identifiers import ACCOUNTS_HOME
from domain.record import Record
from insights.analyser import ProcessAnalyser
from projections.insights_model import INSIGHTS, insights_model
from projections.model import ReadModel
from projections.models import READ_MODELS
from projections.progress import Progress
from projections.queries.shared_answers import SharedAnswers, includes
from projections.store import DeadLetter, DocumentStore
from read_api.query_services import ChangedResource, queries_over

_LOOK_SECONDS = 0.05
_CATCH_UP_SECONDS = 120.0
_NOTED_AT_ONCE, _NOTED_CHUNKS = 100, 20
_FILE_TOPICS = frozenset({FileWritten.TOPIC, FileDeleted.TOPIC})


class Profile(ABC):
    """The log, the commands, the read models and the queries of one process.

    A subclass opens what differs between the profiles, in order; `close` ends it in reverse.
    """

    bus: Bus
    maintenance: Maintenance
    main_models = tuple(model.name for model in READ_MODELS)
    """The names of the read models that every query waits for."""
    makes_log = True
    """Whether a log that does not exist is made; commands that only look make none."""
    refused: asyncio.Future[None] | None = None
    """Raises why this process does not belong to its installation, once that is known."""
    scrubs: Sequence[Callable[[], None]] = ()
    """What overwrites deleted data in the files of this process; none where a server has the files."""
    _opened: ExitStack

    def __init__(
        self,
        settings: Settings,
        directory: DataDirectory,
        *,
        secrets: Secrets,
        keys: KeyStore,
        logs: Logs[Any],
        store: DocumentStore,
        shared_answers: SharedAnswers | None = None,
    ) -> None:
        """Take the parts that differ, and make those that do not; *shared_answers* are those of all nodes."""
        self.settings = settings
        self.directory = directory
        self.secrets = secrets
        self.keys = keys
        self.logs = logs
        self.store = store
        self.analyser = ProcessAnalyser()
        insights = insights_model(self.analyser, logs.number_of)
        self.models: tuple[ReadModel, ...] = (*READ_MODELS, insights)
        self.intake = Intake(secrets, logs.accounts)
        self.progress = Progress()
        self.queries = queries_over(store, shared_answers, self.insights_pending)
        self.past = PastQueries(logs, store, self.models, self.progress, directory.past)

    @abstractmethod
    def start(self) -> None:
        """Start what works in the background, and wait for nothing."""

    def start_for_commands(self) -> None:
        """Start, and wait until commands can be carried out; raises LogUnavailableError after a minute."""
        self.start()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the waiters of *loop*, the one that serves requests."""
        self.progress.bind(loop)

    @abstractmethod
    def not_ready(self) -> list[str]:
        """Name the parts that are not ready to serve."""

    def does_without(self) -> list[str]:
        """Name the servers that do not answer and without which everything is served."""
        return []

    def insights_pending(self, project_ids: Iterable[str]) -> set[str]:
        """Return the projects with files, written or deleted, that the insights do not include yet."""
        progress, number_of = self.progress, self.logs.number_of
        if not progress.has_pending(INSIGHTS):
            return set()
        return {id_ for id_ in project_ids if progress.pending(INSIGHTS, id_, number_of(id_))}

    def included(self) -> dict[int, int]:
        """Return, by partition, the sequence that every read model includes."""
        names = [model.name for model in self.models]
        return {
            log.number: min(self.progress.sequence(name, log.number) for name in names) for log in self.logs
        }

    def catch_up(self, advanced: Advanced, seconds: float = _CATCH_UP_SECONDS) -> None:
        """Wait until every read model includes the log's present end, for up to *seconds*."""
        target, deadline, pause = self.logs.tip().sequences, time.monotonic() + seconds, threading.Event()
        while not includes(included := self.included(), target) and time.monotonic() < deadline:
            advanced(sum(included.values()), sum(target.values()))
            pause.wait(_LOOK_SECONDS)
        advanced(sum(included.values()), sum(target.values()))

    def dead_letters(self, model: str | None) -> list[DeadLetter]:
        """Return the dead letters of *model*, of every model with None."""
        return self.store.dead_letters(model)

    def included_by_model(self) -> dict[str, int]:
        """Return how many events of all partitions each read model includes."""
        totals: dict[str, int] = {}
        for log in self.logs:
            for name, sequence in self.progress.models(log.number).items():
                totals[name] = totals.get(name, 0) + sequence
        return totals

    def misfit(self) -> str | None:
        """Return why the read models were not made from the log, None where they may have been."""
        for log in self.logs:
            end = log.tip().sequence
            for name, sequence in self.progress.models(log.number).items():
                if sequence > end:
                    return f"{name} includes event {sequence}, and the log ends at {end}"
        return None

    def forget_answers(self) -> None:
        """Forget every composed answer."""
        self.queries.projects.touch(None)
        self.queries.usage.touch(None)

    def close(self) -> None:
        """Answer the commands that wait, stop, and end all that was opened."""
        self._opened.close()

    def _models_before(self, target: Mapping[int, int]) -> list[str]:
        """Return the names of the read models that do not include *target*, which is by partition.

        Insights do not count: every answer shows the last ones, and says where newer ones are being made.
        """
        reached = self.progress.sequence
        return [
            name
            for name in self.main_models
            if any(reached(name, number) < sequence for number, sequence in target.items())
        ]

    def _note_files(self, records: Sequence[Record], partition: int = 0) -> None:
        """Note which projects the insights have work for, before any query can see these records."""
        scopes = [(record.home, record.sequence) for record in records if record.topic in _FILE_TOPICS]
        if scopes:
            self.progress.touch(INSIGHTS, scopes, partition)

    def _note_unmeasured(self) -> None:
        """Note the projects whose files the stored insights do not include; of many events, every project."""
        for log in self.logs:
            sequence, tip = self.store.checkpoints(log.number)[INSIGHTS].sequence, log.tip().sequence
            for _ in range(_NOTED_CHUNKS):
                records = log.read(sequence, _NOTED_AT_ONCE, Selection(topics=tuple(sorted(_FILE_TOPICS))))
                self._note_files(records, log.number)
                if len(records) < _NOTED_AT_ONCE:
                    self.progress.assume_touched(INSIGHTS, 0, log.number)
                    break
                sequence = records[-1].sequence
            else:
                self.progress.assume_touched(INSIGHTS, tip, log.number)

    def _forget_changed(self, homes: set[str] | None, through: int | None = None, partition: int = 0) -> None:
        """Forget the composed answers about *homes*, all with None; accounts may be named in any answer."""
        self.queries.usage.touch(homes)
        named = None if homes is None or ACCOUNTS_HOME in homes else homes
        self.queries.projects.touch(named, None if through is None else {partition: through})


class NodeFigures(Struct, frozen=True, kw_only=True):
    """What a node knows of its servers, of the log's void records, and of the other nodes."""

    servers: Mapping[str, bool]
    void_records: int
    forwarded: int
    unanswered: int
    refused_requests: int
    refused_answers: int
    refused_heartbeats: int


@runtime_checkable
class Node(Protocol):
    """A profile that is one node of several: other processes keep its read models, across a network."""

    @property
    def changed_resource(self) -> ChangedResource:
        """Return what answers for a command from this node's own replica."""
        ...

    @property
    def listener(self) -> NodeListener:
        """Return the application that other nodes hand commands to."""
        ...

    def node_figures(self) -> NodeFigures:
        """Return what this node knows of its servers and of the other nodes."""
        ...

    async def disconnect(self) -> None:
        """Close the connections to other nodes."""
        ...
