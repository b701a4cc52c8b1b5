"""Build a read model anew beside the live one, check it, and switch."""

import threading
from collections.abc import Callable

from commands.log import EVERYTHING, EventLog, Selection
from projections.model import ReadModel
from projections.store import DocumentStore, Rebuild
from projections.writes import Write
from streams.batch_projection import Decoded, PoisonError, decode, project_one
from streams.runner import Runner

_BATCH = 1_000


class RebuildCancelledError(Exception):
    """Somebody cancelled the rebuild; the live model is untouched."""


def rebuild(
    log: EventLog,
    store: DocumentStore,
    model: ReadModel,
    runner: Runner | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: threading.Event | None = None,
) -> int:
    """Rebuild *model* from the first event and switch to it; return the sequence it includes.

    The live model goes on meanwhile. Only the last few events are projected while *runner* pauses, then the switch
    is one step. *progress* gets the events done and the total. Raises PoisonError where an event cannot be
    projected, and RebuildCancelledError; both leave the live model as it is.
    """
    build = store.begin_rebuild(model)
    try:
        done = _catch_up(log, model, build, 0, progress, cancelled)
        if runner is None:
            return _finish(log, model, build, done, progress)
        with runner.paused():
            done = _finish(log, model, build, done, progress)
            runner.reload()
            return done
    except BaseException:
        build.cancel()
        raise


def _finish(
    log: EventLog, model: ReadModel, build: Rebuild, done: int, progress: Callable[[int, int], None] | None
) -> int:
    done = _catch_up(log, model, build, done, progress, None)
    build.switch()
    return done


def _catch_up(
    log: EventLog,
    model: ReadModel,
    build: Rebuild,
    done: int,
    progress: Callable[[int, int], None] | None,
    cancelled: threading.Event | None,
) -> int:
    selection = EVERYTHING if model.topics is None else Selection(topics=tuple(sorted(model.topics)))
    target = log.tip().sequence
    while done < target:
        if cancelled is not None and cancelled.is_set():
            raise RebuildCancelledError(f"the rebuild of {model.name} was cancelled at event {done}")
        records = log.read(done, _BATCH, selection)
        upto = records[-1].sequence if len(records) == _BATCH else target
        build.apply(
            writes_of(model, decode(log, records)), max(upto, records[-1].sequence if records else upto)
        )
        done = max(upto, records[-1].sequence if records else upto)
        target = max(target, log.tip().sequence)
        if progress is not None:
            progress(done, target)
    return done


def writes_of(model: ReadModel, batch: list[Decoded]) -> list[tuple[int, tuple[Write, ...]]]:
    """Return what a rebuild writes for *batch*, by sequence; raises PoisonError."""
    for item in batch:
        if item.event is None:
            raise PoisonError(model.name, item.record, item.reason or "unreadable")
    if model.prepare is not None:
        kept = {
            record.sequence
            for _, record in model.prepare([(i.event, i.record) for i in batch if i.event is not None])
        }
        batch = [item for item in batch if item.record.sequence in kept]
    writes = [(item.record.sequence, tuple(project_one(model, item))) for item in batch]
    return [(sequence, done) for sequence, done in writes if done]
