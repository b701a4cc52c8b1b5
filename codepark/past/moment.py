"""A project at a moment: what its streams held then, and what the index knows of it."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec
import structlog

from codepark.past.indexer import TOPICS, Indexer
from commands.log import EventLog, LogUnavailableError, Selection
from domain.identifiers import project_stream
from domain.record import Record
from domain.times import rfc3339
from projections.budget import draw
from projections.fold import NOTHING, StoredDocument, fold
from projections.model import ReadModel
from projections.models.projects import MODEL as PROJECT_MODEL
from projections.past.entries import PastFile
from projections.past.index import PastIndex
from projections.store import DocumentStore, StoreUnavailableError
from projections.writes import Document, Write
from read_api.past_answers import Work

_CHUNK = 100
_SNAPSHOT_EVERY = 64
_GLANCE_BYTES = 64 * 1024

logger = structlog.get_logger(__name__)


class Moment:
    """A project at *sequence* of its partition, for one request."""

    def __init__(
        self,
        log: EventLog,
        indexer: Indexer,
        present: DocumentStore,
        project_id: str,
        sequence: int,
        work: Work,
    ) -> None:
        """Look at a project as it was; *work* ends with the request."""
        self.log = log
        self.present = present
        self.project_id = project_id
        self.sequence = sequence
        self.work = work
        self._indexer = indexer

    @cached_property
    def index(self) -> PastIndex:
        """Return the index, which includes the moment."""
        self._indexer.bring(self.project_id, self.sequence, self.work)
        return self._indexer.index

    def bring(self, sequence: int) -> None:
        """Let the index include the project's events up to *sequence*, which is later than the moment."""
        self._indexer.bring(self.project_id, sequence, self.work)

    @cached_property
    def commits(self) -> int:
        """Return the number of the last commit."""
        return self.index.commits_at(self.project_id, self.sequence)

    @cached_property
    def time(self) -> int:
        """Return the event time of the moment, in milliseconds since the epoch."""
        return self.log.tip_at(self.sequence).occurred_at if self.sequence else 0

    def files(self, limit: int, *, after: str = "", prefix: str = "") -> list[PastFile]:
        """Return the first *limit* files above *after* whose paths start with *prefix*."""
        self.work.step()
        return self.index.files(self.project_id, self.sequence, limit, after=after, prefix=prefix)

    def version(self, stream: str) -> int:
        """Return the version of a stream, 0 where it had no event yet."""
        self.work.step()
        return self.log.version_at(stream, self.sequence)

    def last_record(self, stream: str) -> Record | None:
        """Return the last record of a stream."""
        version = self.version(stream)
        if not version:
            return None
        draw(0)  # raises where nothing is left for another record
        record = self.log.stream_records(stream, version - 1, 1)[0]
        draw(len(record.data))
        return record

    def records(self, stream: str, through: int, after: int = 0) -> Iterator[Record]:
        """Yield the records of a stream with a version above *after*, up to the version *through*."""
        while after < through:
            self.work.step()
            records = self.log.stream_records(stream, after, min(_CHUNK, through - after))
            if not records:
                return
            for record in records:
                draw(len(record.data))
                yield record
            after = records[-1].version

    def document(
        self, model: ReadModel, collection: str, id_: str, records: Sequence[Record]
    ) -> Document | None:
        """Return the document that *records* make in the read model."""
        stored = NOTHING
        for record in records:
            stored = self._folded(stored, model, collection, id_, record)
        return as_stored(stored.document)

    @cached_property
    def project(self) -> Document | None:
        """Return the document of the project itself, None where there was none."""
        document = self._project
        return None if document is None else {**document, "updatedAt": self._updated_at()}

    @cached_property
    def _project(self) -> Document | None:
        stream, id_ = project_stream(self.project_id), self.project_id
        version = self.version(stream)
        present = self.present.get(PROJECT_MODEL.name, id_) if version else None
        if version == 0 or (present is not None and present["version"] == version):
            return present
        start, document = self.index.snapshot(id_, version) or (0, None)
        stored = StoredDocument(-1, document)
        snapshots: list[tuple[int, Document]] = []
        for record in self.records(stream, version, start):
            stored = self._folded(stored, PROJECT_MODEL, PROJECT_MODEL.name, id_, record)
            if stored.document is not None and record.version - start >= _interval(stored.document):
                start = record.version
                snapshots.append((start, stored.document))
        self.index.add_snapshots(id_, snapshots)
        return as_stored(stored.document)

    def _updated_at(self) -> str:
        """Return when the project was last changed: by an event of its own, or by work on its files."""
        stream = project_stream(self.project_id)
        last = self.log.stream_records(stream, self.version(stream) - 1, 1)[0].occurred_at
        work = self._last_work()
        return rfc3339(max(last, self.log.tip_at(work).occurred_at) if work else last)

    def _last_work(self) -> int:
        """Return the sequence of the last commit, or change of a file without one; 0 where there is none.

        The index need not include the moment: the events that it lacks are looked at, the newest first.
        """
        reached, before = min(self._indexer.reached(self.project_id), self.sequence), self.sequence + 1
        selection = Selection(
            home=self.project_id, topics=TOPICS, newest_first=True, most_bytes=_GLANCE_BYTES
        )
        while records := self.log.read(before, _CHUNK, selection) if before > reached + 1 else []:
            self.work.step()
            for record in records:
                # A change of a file without a commit is a command's only event.
                if record.sequence > reached and record.commit_index == 1:
                    return record.sequence
            before = records[-1].sequence
        return self._indexer.index.last_work(self.project_id, reached)

    def writes(self, model: ReadModel, record: Record) -> Sequence[Write]:
        """Return the writes of a read model for a record; none for one that it cannot take."""
        try:
            return tuple(model.project(self.log.event(record), record))
        except (LogUnavailableError, StoreUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 # whatever the reason, it is a dead letter of the model too
            logger.warning("left out of the past", sequence=record.sequence, reason=str(error))
            return ()

    def _folded(
        self, stored: StoredDocument, model: ReadModel, collection: str, id_: str, record: Record
    ) -> StoredDocument:
        """Return *stored* after a record, as the read model projects it."""
        writes = self.writes(model, record)
        own = [(record.sequence, each) for each in writes if (each.collection, each.id) == (collection, id_)]
        return fold(stored, own)


def as_stored(document: Document | None) -> Document | None:
    """Return a projected document as a store returns it: of JSON's types alone."""
    return None if document is None else msgspec.to_builtins(document)


def _interval(project: Document) -> int:
    """Return after how many events a snapshot follows: all of them together grow with the events."""
    return max(_SNAPSHOT_EVERY, len(project["collaborators"]))
