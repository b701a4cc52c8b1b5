"""The documents that command answers show, built in memory from the events of some projects and accounts."""

from collections.abc import Callable, Iterable, Sequence

from codepark.routed_store import Fallback, Forwarding, RoutedStore, Source, T
from commands.log import EventLog
from domain.file.events import FileDeleted, FileWritten
from domain.record import Record
from projections.model import ReadModel
from projections.models.accounts import ACCOUNTS
from projections.queries.insights import Pending, nothing_pending
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Checkpoint, DocumentStore
from projections.waiting_files import FILE_INSIGHTS
from projections.writes import Document
from read_api.query_services import queries_over
from streams.batch_projection import decode, project

_MOST_EVENTS = 50_000
_MOST_BYTES = 64 * 1024 * 1024
_FROM_THE_START = Checkpoint()
_FILE_TOPICS = frozenset({FileWritten.TOPIC, FileDeleted.TOPIC})


class ReplicaDocuments:
    """The documents of some subjects, and queries over them."""

    def __init__(
        self,
        present: DocumentStore,
        models: Sequence[ReadModel],
        load_account: Callable[[str], None],
        *,
        insights_pending: Pending = nothing_pending,
    ) -> None:
        """Begin without a subject; *load_account* adds an account, insights come from the *present* store.

        Of *models*, which are all that queries know, those that answer commands are projected.
        """
        own = SQLiteDocumentStore(None)
        own.prepare(models)
        recent = Recent(own)
        insights = Fallback(present, own)
        self._store = RoutedStore(
            own, {ACCOUNTS: Loading(recent, load_account), FILE_INSIGHTS: insights}, default=recent
        )
        self._models = [model for model in models if model.answers_commands]
        self.queries = queries_over(
            self._store, None, lambda ids: set(ids) if insights.failed_recently else insights_pending(ids)
        )
        self._sequences: dict[str, int] = {}
        self._with_files: set[str] = set()
        self._events = 0
        self._bytes = 0

    @property
    def full(self) -> bool:
        """Return whether there are more events than are kept in memory."""
        return self._events > _MOST_EVENTS or self._bytes > _MOST_BYTES

    def has(self, subject: str) -> bool:
        """Return whether the documents of *subject* are here."""
        return subject in self._sequences

    def with_files(self, subject: str) -> bool:
        """Return whether *subject* has files, whose answers show insights from the present store."""
        return subject in self._with_files

    def look_again(self, subject: str) -> None:
        """Forget the composed answer about *subject*, whose insights change without an event of its own."""
        self.queries.projects.touch((subject,))

    def add(self, log: EventLog, records: Iterable[tuple[str, Record]]) -> None:
        """Project *records*, each with its subject, in the order of the log; known ones are left out.

        `has` knows the subject of a record before the next record is taken.
        """
        added = [record for subject, record in records if self._note(subject, record)]
        if not added:
            return
        batch, through = decode(log, added), max(record.sequence for record in added)
        # Subjects of all partitions are loaded in any order. One subject writes a document, and the
        # document's position guards it, not the model's checkpoint.
        changes = [project(model, batch, _FROM_THE_START, through) for model in self._models]
        self._store.apply([change for change in changes if change.writes])
        self.queries.projects.touch({record.home for record in added})

    def _note(self, subject: str, record: Record) -> bool:
        if record.sequence <= self._sequences.get(subject, 0):
            return False
        self._sequences[subject] = record.sequence
        self._events += 1
        self._bytes += len(record.data)
        if record.topic in _FILE_TOPICS:
            self._with_files.add(subject)
        return True


class Recent(Forwarding):
    """Read recently written documents without a question to SQLite: most answers show such documents."""

    def __init__(self, store: SQLiteDocumentStore) -> None:
        """Read from *store*."""
        self._store = store

    def _ask(self, _collection: str, ask: Callable[[Source], T], /) -> T:
        return ask(self._store)

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        return self._store.remembered(collection, id) or self._store.get(collection, id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        remembered = self._store.remembered
        recent = {id_: document for id_ in ids if (document := remembered(collection, id_)) is not None}
        others = [id_ for id_ in ids if id_ not in recent]
        return recent | self._store.get_many(collection, others) if others else recent


class Loading(Forwarding):
    """Load each account before it is read."""

    def __init__(self, source: Source, load: Callable[[str], None]) -> None:
        """Read from *source*, after *load*."""
        self._source = source
        self._load = load

    def _ask(self, _collection: str, ask: Callable[[Source], T], /) -> T:
        return ask(self._source)

    def get(self, collection: str, id: str) -> Document | None:  # noqa: A002 # as in the port
        """Return a document."""
        self._load(id)
        return self._source.get(collection, id)

    def get_many(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents that exist, by id."""
        for id_ in ids:
            self._load(id_)
        return self._source.get_many(collection, ids)
