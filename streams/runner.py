"""The in-process runner: one thread that keeps some read models up to date with the log."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import structlog

from commands.log import EVERYTHING, EventLog, LogUnavailableError, Selection, Tip
from domain.record import Record
from projections.model import ReadModel
from projections.progress import Progress
from projections.store import Change, Checkpoint, DocumentStore, StoreUnavailableError
from streams.batch_projection import DecodedRecord, decode, project
from streams.put_off_work import LOOK_SECONDS, PutOffWork
from streams.recent_records import RecentRecords
from streams.spans import projecting
from telemetry.trace_lines import trace, traces

_BATCH = 500
_FAR_BEHIND = 4_000
_RETRY_SECONDS = 0.5
_IDLE_CHECKPOINT = 5_000

logger = structlog.get_logger(__name__)

Touched = Callable[[set[str] | None], None]
"""Gets the home keys whose documents may have changed, None for all, before the progress is reported."""


class Runner:
    """Read the log in order, project, apply writes and checkpoints in one step, report the progress.

    If the store or the log is unavailable, the runner tries again until it is back; no event is skipped.
    """

    def __init__(
        self,
        log: EventLog,
        store: DocumentStore,
        models: Iterable[ReadModel],
        progress: Progress,
        *,
        touched: Touched | None = None,
        inline: bool = False,
        before_step: Callable[[Sequence[Record]], None] | None = None,
    ) -> None:
        """Run *models* over *log*; call *before_step* with the records of each step, and *touched* after it.

        With *inline*, a thread that appends also projects its records, provided that the runner is up to
        date.
        """
        self._log = log
        self._store = store
        self._models = tuple(models)
        self._progress = progress
        self._touched = touched
        self._inline = inline
        self._before_step = before_step
        self._names = ",".join(model.name for model in self._models)
        self._selection = _selection(self._models)
        self._put_off = PutOffWork(self._models)
        self._recent = RecentRecords()
        self._grown = threading.Event()
        self._lock = threading.RLock()
        self._ended = False
        self._checkpoints: dict[str, Checkpoint] = {}
        self._position = 0
        self._thread = threading.Thread(target=self._run, name=f"runner-{self._models[0].name}", daemon=True)
        self.failure: str | None = None

    def start(self) -> None:
        """Load the checkpoints and start the thread."""
        self._load()
        self._log.on_append(self._appended)
        self._grown.set()
        self._thread.start()

    def stop(self) -> None:
        """Begin no further step."""
        self._ended = True
        self._grown.set()

    def close(self, timeout: float = 15.0) -> None:
        """End after the present step, and store the checkpoints."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._store_checkpoints()

    def _store_checkpoints(self) -> None:
        """Store checkpoints that moved without a write, so that the next start skips those events."""
        with self._lock, suppress(StoreUnavailableError):
            stored = self._store.checkpoints()
            self._store.apply(
                [
                    Change(model=name, writes=(), checkpoint=checkpoint)
                    for name, checkpoint in self._checkpoints.items()
                    if checkpoint.sequence > stored[name].sequence
                ]
            )

    @property
    def models(self) -> tuple[ReadModel, ...]:
        """Return the models that this runner keeps."""
        return self._models

    @property
    def position(self) -> int:
        """Return the sequence that every model of this runner includes."""
        return self._position

    def paused(self) -> threading.RLock:
        """Return the lock that each step takes; its holder may change checkpoints and then call `reload`."""
        return self._lock

    def reload(self) -> None:
        """Load the checkpoints again, after a rebuild or a retry has changed them."""
        with self._lock:
            if self._touched is not None:
                self._touched(None)
            self._load()
        self._grown.set()

    def _load(self) -> None:
        stored = self._store.checkpoints()
        self._checkpoints = {model.name: stored[model.name] for model in self._models}
        self._position = min(checkpoint.sequence for checkpoint in self._checkpoints.values())
        self._report()

    def _run(self) -> None:
        while not self._ended:
            self._grown.wait(self._pause())
            self._grown.clear()
            try:
                while self._step() | self._take_turns():
                    self.failure = None
                self.failure = None
            except (StoreUnavailableError, LogUnavailableError) as error:
                self._failed(str(error))
            except Exception as error:
                logger.exception("projection stopped", models=[model.name for model in self._models])
                self._failed(f"{type(error).__name__}: {error}")

    def _appended(self, records: Sequence[Record]) -> None:
        """Project what was appended, in the appending thread, or leave it to the runner's own thread.

        In the appending thread no record is read back and no thread is woken, and a caller that waits for the
        outcome of its command finds the read models ready.
        """
        far_behind = self._inline and records[-1].sequence - self._position > _FAR_BEHIND
        if self._lock.acquire(blocking=far_behind):
            try:
                if far_behind:
                    self._catch_up()
                if not self._ended and self._project_at_once(records):
                    return
            finally:
                self._lock.release()
        self._recent.add(records)
        self._grown.set()

    def _catch_up(self) -> None:
        """Step until the models are no longer far behind; a thread that appends too fast waits here."""
        while not self._ended and self._log.tip().sequence - self._position > _FAR_BEHIND:
            try:
                if not self._step():
                    return
            except (StoreUnavailableError, LogUnavailableError):
                return

    def _project_at_once(self, records: Sequence[Record]) -> bool:
        """Project *records* if they follow the position; return whether they were projected."""
        if self._position != records[0].sequence - 1 or (not self._inline and self._wanted(records)):
            return False
        try:
            for start in range(0, len(records), _BATCH):
                chunk = records[start : start + _BATCH]
                self._project(self._wanted(chunk), chunk[-1].sequence, chunk[-1].chain)
        except (StoreUnavailableError, LogUnavailableError):
            return False
        except Exception:
            logger.exception("projection stopped", models=[model.name for model in self._models])
            return False
        return True

    def _wanted(self, records: Sequence[Record]) -> Sequence[Record]:
        topics = self._selection.topics
        return records if topics is None else [record for record in records if record.topic in topics]

    def _failed(self, reason: str) -> None:
        """Log the first failure of a series, and try again after a pause or when the log grows."""
        if self._ended:
            return
        if self.failure is None:
            logger.warning("projection waits", reason=reason)
        self.failure = reason
        timer = threading.Timer(_RETRY_SECONDS, self._grown.set)
        timer.daemon = True
        timer.start()

    def _step(self) -> bool:
        """Project the next batch; return whether there may be more."""
        with self._lock:
            start, tip = self._position, self._log.tip()
            if start >= tip.sequence or self._ended:
                return False
            self._project(*self._next(start, tip))
            return True

    def _take_turns(self) -> bool:
        """Do one turn of the work that models have put off; return whether there may be more at once."""
        if not self._put_off.due():
            return False
        wrote = False
        for model in self._put_off.begin():
            if self._ended:
                break
            with self._lock:
                turn = self._put_off.take(model, self._store)
                if turn.writes:
                    checkpoint = self._checkpoints[model.name]
                    self._store.apply([Change(model=model.name, writes=turn.writes, checkpoint=checkpoint)])
                    if self._touched is not None:
                        self._touched(set(turn.homes))
                    wrote = True
        return wrote

    def _pause(self) -> float | None:
        """Return after how many seconds the thread looks for work without a new event, None for never."""
        if self._put_off.waiting:
            return _RETRY_SECONDS
        return LOOK_SECONDS if self._put_off.possible else None

    def _next(self, start: int, tip: Tip) -> tuple[Sequence[Record], int, bytes]:
        """Return the next wanted records, and the sequence and chain that the models then include."""
        recent = self._recent.after(start, _BATCH)
        if recent is not None:
            return self._wanted(recent), recent[-1].sequence, recent[-1].chain
        records = self._log.read(start, _BATCH, self._selection)
        if len(records) == _BATCH or (records and records[-1].sequence > tip.sequence):
            return records, records[-1].sequence, records[-1].chain
        return records, tip.sequence, tip.chain

    def _project(self, records: Sequence[Record], through: int, chain: bytes) -> None:
        with projecting(self._log, records, self._log.number, self._names):
            if self._before_step is not None:
                self._before_step(records)
            self._apply(decode(self._log, records), through, chain)

    def _apply(self, batch: Sequence[DecodedRecord], through: int, chain: bytes) -> None:
        changes, checkpoints = self._changes(batch, through, chain)
        if changes:
            self._store.apply(changes)
        self._checkpoints = checkpoints
        self._position = max(self._position, through)
        if changes and traces():
            models = [change.model for change in changes]
            trace("batch projected", events=len(batch), through=through, models=models)
        for change in changes:
            for letter in change.dead_letters:
                logger.error(
                    "dead letter", model=letter.model, sequence=letter.sequence, reason=letter.reason
                )
        if self._touched is not None:
            self._touched({decoded.record.home for decoded in batch})
        self._report()

    def _changes(
        self, batch: Sequence[DecodedRecord], through: int, chain: bytes
    ) -> tuple[list[Change], dict[str, Checkpoint]]:
        """Return the changes to be stored, and the checkpoints of all models after them.

        A checkpoint keeps the chain at its sequence: by it the next start knows its log again. A model that
        wants no event of the batch is not called: its checkpoint moves in memory, and is stored now and then,
        so that a start need not read far.
        """
        topics = {decoded.record.topic for decoded in batch}
        store_all = through // _IDLE_CHECKPOINT != self._position // _IDLE_CHECKPOINT
        idle = Checkpoint(sequence=through, resume_at=chain)  # of most models, so they share it
        changes: list[Change] = []
        checkpoints: dict[str, Checkpoint] = {}
        for model in self._models:
            before = self._checkpoints[model.name]
            if model.topics is None or not model.topics.isdisjoint(topics):
                change = project(model, batch, before, through, resume_at=chain)
                checkpoints[model.name] = change.checkpoint
                if store_all or change.writes or change.dead_letters:
                    changes.append(change)
                continue
            behind = before.sequence <= through and not before.blocked
            after = idle if behind else before.moved(through, chain, before.blocked)
            checkpoints[model.name] = after
            if store_all:
                changes.append(Change(model=model.name, writes=(), checkpoint=after))
        return changes, checkpoints

    def _report(self) -> None:
        sequences: dict[str, int] = {}
        blocked: dict[str, frozenset[str]] = {}
        for name, checkpoint in self._checkpoints.items():
            sequences[name] = checkpoint.sequence
            blocked[name] = checkpoint.blocked
        self._progress.report(sequences, blocked)


def _selection(models: Sequence[ReadModel]) -> Selection:
    if any(model.topics is None for model in models):
        return EVERYTHING
    return Selection(topics=tuple(sorted({topic for model in models for topic in model.topics or ()})))
