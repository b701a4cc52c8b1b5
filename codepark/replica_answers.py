"""What a command left behind, from the node's own replica: so that its answer waits for no worker and no MongoDB."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from commands.aggregates import KINDS, kind_name
from commands.kafka.node.event_log import KafkaEventLog
from commands.log import Selection
from commands.outcomes import Accepted
from commands.partitions import Logs
from domain.account.events import AccountRegistered
from domain.file.events import FileDeleted, FileWritten
from domain.identifiers import ACCOUNTS_HOME, account_stream
from domain.project.events import ProjectCreated
from domain.record import Record
from domain.token.events import TokenCreated
from projections.insights_model import FILE_INSIGHTS
from projections.model import ReadModel
from projections.models.accounts import ACCOUNTS
from projections.progress import Progress
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Checkpoint, Condition, DocumentStore, Query, StoreUnavailableError
from projections.writes import Document
from read_api.query_services import Queries, queries_over
from streams.batch_projection import decode, project

T = TypeVar("T")

_MOST_EVENTS = 50_000
_MOST_BYTES = 64 * 1024 * 1024
_LARGEST_HOME = 2_000
_PENDING = 20_000
_WAIT_SECONDS = 5.0
LOG = "log"
_BEGINNINGS = frozenset({ProjectCreated.TOPIC, AccountRegistered.TOPIC, TokenCreated.TOPIC})
_FROM_THE_START = Checkpoint()
_FILES = frozenset({FileWritten.TOPIC, FileDeleted.TOPIC})
MODELS = frozenset(
    {
        "accounts",
        "announcements",
        "builds",
        "commits",
        "files",
        "projects",
        "reviews",
        "suggestions",
        "tokens",
    }
)


class ReplicaStore(SQLiteDocumentStore):
    """Documents of the homes that this node changed of late, in memory; people and insights come from where they are."""

    def __init__(self, present: DocumentStore, load_account: Callable[[str], None]) -> None:
        """Ask *present* about insights; *load_account* brings an account's documents here."""
        super().__init__(None)
        self._present = present
        self._load_account = load_account

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document; mostly it is one that was written a moment ago."""
        if collection == ACCOUNTS:
            self._load_account(id)
        return self.remembered(collection, id) or super().get(collection, id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        if collection == ACCOUNTS:
            for id_ in ids:
                self._load_account(id_)
        found = {id_: known for id_ in ids if (known := self.remembered(collection, id_)) is not None}
        missing = [id_ for id_ in ids if id_ not in found]
        return found | super().get_many(collection, missing) if missing else found

    def find(self, query: Query) -> list[Document]:
        """Return the documents of *query*; insights are those of the read model, none while it is away."""
        if query.collection != FILE_INSIGHTS:
            return super().find(query)
        try:
            return self._present.find(query)
        except StoreUnavailableError:
            return []

    def totals(self, collection: str, where: Sequence[Condition], fields: Sequence[str]) -> dict[str, float]:
        """Return sums, as `find` does."""
        if collection == FILE_INSIGHTS:
            try:
                return dict(self._present.totals(collection, where, fields))
            except StoreUnavailableError:
                pass
        return super().totals(collection, where, fields)


class ReplicaAnswers:
    """Keep the documents of recently changed homes up to the replica.

    A home is loaded whole from the replica when it is first asked for; what is appended to a loaded home is added
    before the next answer about it.
    """

    def __init__(
        self, logs: Logs[KafkaEventLog], present: DocumentStore, models: Sequence[ReadModel]
    ) -> None:
        """Read from *logs*; *models* are all read models of the node."""
        self._logs = logs
        self._present = present
        self._prepared = models
        self._models = tuple(model for model in models if model.name in MODELS)
        self._lock = threading.RLock()
        self._pending: deque[Record] = deque()  # who appends waits for no answer: no lock is needed
        self._overrun = False
        self._reached = Progress()
        self._begin()
        for log in logs:
            self._reached.report({LOG: log.tip().sequence}, partition=log.number)
            log.on_append(partial(self._appended, log.number))
            log.on_foreign(self._began_anew)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiters in *loop*."""
        self._reached.bind(loop)

    async def ask(self, done: Accepted, ask: Callable[[Queries], T]) -> T | None:
        """Ask about what *done* changed; None where its home is too large to be kept here.

        What another node carried out is asked about once the replica has it; raises NotCaughtUpError.
        """
        await self._reached.wait((LOG,), done.position.sequences, _WAIT_SECONDS)
        with self._lock:
            self._drain()
            unit = self._unit_of(done)
            if unit in self._sequences and unit not in self._with_files:
                return ask(self._queries)
        if not await asyncio.to_thread(self._load, unit):
            return None
        return await asyncio.to_thread(ask, self._queries)

    def _begin(self) -> None:
        self._store = ReplicaStore(self._present, self._load_account)
        self._store.prepare(self._prepared)
        self._queries = queries_over(self._store)
        self._sequences: dict[str, int] = {}
        self._units: dict[str, str] = {}
        self._with_files: set[str] = set()
        self._events = 0
        self._bytes = 0

    def _appended(self, partition: int, records: Sequence[Record]) -> None:
        """Note what was appended; called from the thread that appends."""
        self._pending.extend(records)
        if len(self._pending) > _PENDING:  # nobody asks: begin anew when somebody does
            self._overrun = True
            self._pending.clear()
        self._reached.report({LOG: records[-1].sequence}, partition=partition)

    def _began_anew(self, records: Sequence[Record]) -> None:
        """Forget everything where the replica holds nothing any more."""
        if not records:
            with self._lock:
                self._pending.clear()
                self._begin()

    def _drain(self) -> None:
        """Add what was appended to loaded homes, and the homes that were begun."""
        if self._overrun or self._events > _MOST_EVENTS or self._bytes > _MOST_BYTES:
            self._overrun = False
            self._pending.clear()
            self._begin()
        if len(self._units) > _PENDING:  # the log knows the older ones
            self._units.clear()
        wanted = []
        for _ in range(len(self._pending)):
            try:
                record = self._pending.popleft()
            except IndexError:  # the thread that appends has found too many
                break
            unit = _unit(record)
            if record.commit_index == 1:
                self._units[record.command] = unit
            known = self._sequences.get(unit)
            if known is None and not _begins(record):
                continue
            if known is None or record.sequence > known:
                wanted.append(record)
                self._note(unit, record)
        self._apply(wanted)

    def _load(self, unit: str) -> bool:
        """Load a home whole; tell whether it could be."""
        with self._lock:
            self._drain()
            if unit in self._sequences:
                return True
            if kind_name(unit) in KINDS:  # a stream among the accounts, not a project's id
                log, selection = self._logs.accounts, Selection(stream=unit)
            else:
                log, selection = self._logs.of(unit), Selection(home=unit)
            records = log.read(0, _LARGEST_HOME + 1, selection)
            if len(records) > _LARGEST_HOME:
                return False
            for record in records:
                self._note(unit, record)
            self._apply(records)
            return True

    def _load_account(self, account_id: str) -> None:
        self._load(account_stream(account_id))

    def _note(self, unit: str, record: Record) -> None:
        self._sequences[unit] = record.sequence
        self._events += 1
        self._bytes += len(record.data)
        if record.topic in _FILES:
            self._with_files.add(unit)

    def _apply(self, records: Sequence[Record]) -> None:
        if not records:
            return
        batch, upto = decode(self._logs[0], records), max(record.sequence for record in records)
        # Homes are loaded in any order, whatever their partition: each document is written by one home, and its
        # position is its guard, not the model's checkpoint.
        changes = [project(model, batch, _FROM_THE_START, upto) for model in self._models]
        self._store.apply([change for change in changes if change.writes])
        self._queries.projects.touch({record.home for record in records})

    def _unit_of(self, done: Accepted) -> str:
        if unit := self._units.get(done.command_id):
            return unit
        for number in done.position.partitions:
            if records := self._logs[number].command_records(done.command_id):
                return _unit(records[0])
        return done.stream.partition("-")[2]


def _begins(record: Record) -> bool:
    """Tell whether nothing of the record's home can lie before it."""
    return record.topic in _BEGINNINGS


def _unit(record: Record) -> str:
    return record.stream if record.home == ACCOUNTS_HOME else record.home
