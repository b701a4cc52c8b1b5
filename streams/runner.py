"""The in-process runner: one thread that keeps some read models up to the log."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import structlog

from commands.log import EVERYTHING, EventLog, LogUnavailableError, Selection
from domain.record import Record
from projections.model import ReadModel
from projections.progress import Progress
from projections.store import Change, Checkpoint, DocumentStore, StoreUnavailableError
from streams.batch_projection import Decoded, decode, project
from streams.recent_records import Fresh

_BATCH = 500
_FAR_BEHIND = 4_000
_RETRY_SECONDS = 0.5
_IDLE_CHECKPOINT = 5_000

logger = structlog.get_logger(__name__)

Touched = Callable[[set[str] | None], None]
"""Gets the home keys whose documents may have changed, None for all, before the progress is reported."""


class Runner:
    """Read the log in order, project, apply writes and checkpoint in one step, report the progress.

    A store or a log that is away is tried again until it is back; nothing is skipped.
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
        decoded: Callable[[Sequence[Record]], None] | None = None,
    ) -> None:
        """Run *models* over *log*; call *decoded* before each step and *touched* after it.

        *inline* lets the appending thread project what it has just appended, where the runner is up to date.
        """
        self._log = log
        self._store = store
        self._models = tuple(models)
        self._progress = progress
        self._touched = touched
        self._inline = inline
        self._seen = decoded
        self._selection = _selection(self._models)
        self._fresh = Fresh()
        self._grown = threading.Event()
        self._lock = threading.RLock()
        self._ended = False
        self._checkpoints: dict[str, Checkpoint] = {}
        self._thread = threading.Thread(target=self._run, name=f"runner-{self._models[0].name}", daemon=True)
        self.failure: str | None = None

    def start(self) -> None:
        """Take up the checkpoints and start the thread."""
        self._load()
        self._log.on_append(self._appended)
        self._grown.set()
        self._thread.start()

    def stop(self) -> None:
        """Begin no further step."""
        self._ended = True
        self._grown.set()

    def close(self, timeout: float = 15.0) -> None:
        """End after the step that is under way, and keep how far the models are."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._keep_checkpoints()

    def _keep_checkpoints(self) -> None:
        """Store the checkpoints that went on without a write, so that the next start need not read those events."""
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
        return min(checkpoint.sequence for checkpoint in self._checkpoints.values())

    def paused(self) -> threading.RLock:
        """Return the lock that each step takes: who holds it may change checkpoints, then calls `reload`."""
        return self._lock

    def reload(self) -> None:
        """Take up checkpoints that somebody else has changed (a rebuild, a retry)."""
        with self._lock:
            if self._touched is not None:
                self._touched(None)
            self._load()
        self._grown.set()

    def _load(self) -> None:
        stored = self._store.checkpoints()
        self._checkpoints = {model.name: stored[model.name] for model in self._models}
        self._report()

    def _run(self) -> None:
        while not self._ended:
            self._grown.wait()
            self._grown.clear()
            try:
                while self._step():
                    self.failure = None
                self.failure = None
            except (StoreUnavailableError, LogUnavailableError) as error:
                self._failed(str(error))
            except Exception as error:
                logger.exception("projection stopped", models=[m.name for m in self._models])
                self._failed(f"{type(error).__name__}: {error}")

    def _appended(self, records: Sequence[Record]) -> None:
        """Project what was appended at once, in the appending thread, or leave it to the runner's own.

        Who is up to date need not read the records back, nor pay for waking a thread; and who waits for the
        outcome of a command finds the read models ready.
        """
        behind = self._inline and self._log.tip().sequence - self.position > _FAR_BEHIND
        if self._lock.acquire(blocking=behind):
            try:
                if behind:
                    self._hold_back()
                if not self._ended and self._at_once(records):
                    return
            finally:
                self._lock.release()
        self._fresh.add(records)
        self._grown.set()

    def _hold_back(self) -> None:
        """Catch up first where the models are far behind: who writes faster than is projected waits here."""
        while not self._ended and self._log.tip().sequence - self.position > _FAR_BEHIND:
            try:
                if not self._step():
                    return
            except (StoreUnavailableError, LogUnavailableError):
                return

    def _at_once(self, records: Sequence[Record]) -> bool:
        """Project *records* if nothing is missing before them and nothing stands in the way; tell whether it was done."""
        if self.position != records[0].sequence - 1 or (not self._inline and self._wanted(records)):
            return False
        try:
            for start in range(0, len(records), _BATCH):
                chunk = records[start : start + _BATCH]
                self._project(self._wanted(chunk), chunk[-1].sequence)
        except (StoreUnavailableError, LogUnavailableError):
            return False
        except Exception:
            logger.exception("projection stopped", models=[m.name for m in self._models])
            return False
        return True

    def _wanted(self, records: Sequence[Record]) -> Sequence[Record]:
        topics = self._selection.topics
        return records if topics is None else [record for record in records if record.topic in topics]

    def _failed(self, reason: str) -> None:
        """Say so once, and try again in a while (or when the log grows)."""
        if self._ended:
            return
        if self.failure is None:
            logger.warning("projection waits", reason=reason)
        self.failure = reason
        timer = threading.Timer(_RETRY_SECONDS, self._grown.set)
        timer.daemon = True
        timer.start()

    def _step(self) -> bool:
        """Project the next batch; tell whether there may be more."""
        with self._lock:
            start, tip = self.position, self._log.tip().sequence
            if start >= tip or self._ended:
                return False
            self._project(*self._next(start, tip))
            return True

    def _next(self, start: int, tip: int) -> tuple[Sequence[Record], int]:
        """Return the next wanted records and the sequence that the models will include with them."""
        fresh = self._fresh.behind(start, _BATCH)
        if fresh is not None:
            return self._wanted(fresh), fresh[-1].sequence
        records = self._log.read(start, _BATCH, self._selection)
        if len(records) == _BATCH:
            return records, records[-1].sequence
        return records, max(tip, records[-1].sequence if records else 0)

    def _project(self, records: Sequence[Record], upto: int) -> None:
        if self._seen is not None:
            self._seen(records)
        self._apply(decode(self._log, records), upto)

    def _apply(self, batch: Sequence[Decoded], upto: int) -> None:
        changes = [project(model, batch, self._checkpoints[model.name], upto) for model in self._models]
        due = changes if self._idle_for_long(upto) else [c for c in changes if c.writes or c.dead_letters]
        if due:
            self._store.apply(due)
        for change in changes:
            self._checkpoints[change.model] = change.checkpoint
        for change in changes:
            for letter in change.dead_letters:
                logger.error(
                    "dead letter", model=letter.model, sequence=letter.sequence, reason=letter.reason
                )
        if self._touched is not None:
            self._touched({item.record.home for item in batch})
        self._report()

    def _idle_for_long(self, upto: int) -> bool:
        """Tell whether checkpoints without writes are due, so that a start need not read far."""
        return upto // _IDLE_CHECKPOINT != self.position // _IDLE_CHECKPOINT

    def _report(self) -> None:
        self._progress.report(
            {name: checkpoint.sequence for name, checkpoint in self._checkpoints.items()},
            {name: checkpoint.blocked for name, checkpoint in self._checkpoints.items()},
        )


def _selection(models: Sequence[ReadModel]) -> Selection:
    if any(model.topics is None for model in models):
        return EVERYTHING
    return Selection(topics=tuple(sorted({topic for model in models for topic in model.topics or ()})))
