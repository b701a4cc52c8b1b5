"""Show the resource that a command changed, from this node's replica: without a worker and MongoDB."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from codepark.replica_documents import ReplicaDocuments
from commands.aggregates import STREAM_KINDS, kind_name
from commands.kafka.node.event_log import KafkaEventLog
from commands.log import Selection
from commands.outcomes import Accepted
from commands.partitions import Logs
from domain.account.events import AccountRegistered
from domain.identifiers import ACCOUNTS_HOME, account_stream
from domain.project.events import ProjectCreated
from domain.record import Record
from domain.token.events import TokenCreated
from projections.model import ReadModel
from projections.progress import Progress
from projections.queries.insights import Pending, nothing_pending
from projections.store import DocumentStore
from read_api.query_services import Queries
from telemetry import tracing

T = TypeVar("T")

_LARGEST_SUBJECT = 2_000
_PENDING = 20_000
_WAIT_SECONDS = 5.0
LOG = "log"
_FIRST_EVENTS = frozenset({ProjectCreated.TOPIC, AccountRegistered.TOPIC, TokenCreated.TOPIC})


class ReplicaAnswers:
    """Keep the documents of recently changed subjects up to the replica.

    A *subject* is what is loaded as a whole: a project with all of its streams, or one stream among the
    accounts. It is loaded from the replica when it is first asked for; later events of it are added before
    the next answer about it.
    """

    def __init__(
        self,
        logs: Logs[KafkaEventLog],
        present: DocumentStore,
        models: Sequence[ReadModel],
        insights_pending: Pending = nothing_pending,
    ) -> None:
        """Read from *logs*; *present* has the insights, *models* are all read models of the node.

        *insights_pending* says of which projects those in *present* are not the newest.
        """
        self._logs = logs
        self._new_documents = partial(
            ReplicaDocuments, present, models, self._load_account, insights_pending=insights_pending
        )
        self._documents = self._new_documents()
        self._lock = threading.RLock()
        self._pending: deque[Record] = deque()  # the appending thread must not wait for an answer: no lock
        self._overrun = False
        self._subjects: dict[str, str] = {}
        self._reached = Progress()
        for log in logs:
            self._reached.report({LOG: log.tip().sequence}, partition=log.number)
            log.on_append(partial(self._appended, log.number))
            log.on_foreign(self._replaced)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiters in *loop*."""
        self._reached.bind(loop)

    async def ask(self, command: Accepted, ask: Callable[[Queries], T]) -> T | None:
        """Ask about what *command* changed; None where its subject is too large to be loaded.

        A command that another node carried out is answered once the replica has it; raises NotCaughtUpError.
        """
        with tracing.part("answer from the replica"):
            await self._reached.wait((LOG,), command.position.sequences, _WAIT_SECONDS)
            with self._lock:
                self._add_pending()
                subject = self._subject_of_command(command)
                if self._documents.has(subject) and not self._documents.with_files(subject):
                    return ask(self._documents.queries)
            if not await asyncio.to_thread(self._load, subject):
                return None
            self._documents.look_again(subject)
            return await asyncio.to_thread(ask, self._documents.queries)

    def _appended(self, partition: int, records: Sequence[Record]) -> None:
        """Note what was appended; called from the thread that appends."""
        self._pending.extend(records)
        if len(self._pending) > _PENDING:  # no caller asks: begin again when one does
            self._overrun = True
            self._pending.clear()
        self._reached.report({LOG: records[-1].sequence}, partition=partition)

    def _replaced(self, records: Sequence[Record]) -> None:
        """Forget everything where the replica was emptied, to be read again."""
        if not records:
            with self._lock:
                self._pending.clear()
                self._begin()

    def _begin(self) -> None:
        """Forget all documents."""
        self._documents = self._new_documents()
        self._subjects = {}

    def _add_pending(self) -> None:
        """Add what was appended to loaded subjects, and the subjects that it began."""
        if self._overrun or self._documents.full:
            self._overrun = False
            self._pending.clear()
            self._begin()
        if len(self._subjects) > _PENDING:  # the log knows the older ones
            self._subjects.clear()
        self._documents.add(self._logs[0], self._wanted())

    def _wanted(self) -> Iterable[tuple[str, Record]]:
        """Yield the pending records that belong to a loaded subject or begin one, each with its subject.

        One record is added before the next one is looked at: a record that begins a subject lets those after
        it follow.
        """
        for _ in range(len(self._pending)):
            try:
                record = self._pending.popleft()
            except IndexError:  # the appending thread has cleared them
                return
            subject = _subject_of(record)
            if record.commit_index == 1:
                self._subjects[record.command] = subject
            if record.topic in _FIRST_EVENTS or self._documents.has(subject):
                yield subject, record

    def _load(self, subject: str) -> bool:
        """Load a subject as a whole; return whether it is small enough for that."""
        with self._lock:
            self._add_pending()
            if self._documents.has(subject):
                return True
            if kind_name(subject) in STREAM_KINDS:  # a stream among the accounts, not a project's id
                log, selection = self._logs.accounts, Selection(stream=subject)
            else:
                log, selection = self._logs.of(subject), Selection(home=subject)
            records = log.read(0, _LARGEST_SUBJECT + 1, selection)
            if len(records) > _LARGEST_SUBJECT:
                return False
            self._documents.add(log, [(subject, record) for record in records])
            return True

    def _load_account(self, account_id: str) -> None:
        self._load(account_stream(account_id))

    def _subject_of_command(self, command: Accepted) -> str:
        if subject := self._subjects.get(command.command_id):
            return subject
        for number in command.position.partitions:
            if records := self._logs[number].command_records(command.command_id):
                return _subject_of(records[0])
        return command.stream.partition("-")[2]


def _subject_of(record: Record) -> str:
    return record.stream if record.home == ACCOUNTS_HOME else record.home
