"""Rebuild a read model from the log while the live one keeps answering, then switch to the new build."""

import threading
from collections.abc import Callable

from commands.log import EVERYTHING, EventLog, Selection
from projections.model import ReadModel
from projections.store import DocumentStore, Rebuild
from streams.batch_projection import decode, project_strictly
from streams.runner import Runner

_BATCH = 1_000

ReportProgress = Callable[[int, int], None]
"""Gets the events projected so far and the total."""


class RebuildCancelledError(Exception):
    """The rebuild was cancelled; the live model is untouched."""


def rebuild(
    log: EventLog,
    store: DocumentStore,
    model: ReadModel,
    runner: Runner | None = None,
    *,
    progress: ReportProgress | None = None,
    cancelled: threading.Event | None = None,
) -> int:
    """Rebuild *model* from the first event and switch to it; return the sequence that it includes.

    The live model keeps moving meanwhile: *runner* pauses only for the last few events and for the switch,
    which is one step. Raises PoisonError where an event cannot be projected, and RebuildCancelledError; both
    leave the live model as it is.
    """
    build = store.begin_rebuild(model)
    try:
        sequence = _catch_up(log, model, build, 0, progress, cancelled)
        if runner is None:
            return _finish(log, model, build, sequence, progress)
        with runner.paused():
            sequence = _finish(log, model, build, sequence, progress)
            runner.reload()
            return sequence
    except BaseException:
        build.cancel()
        raise


def _finish(
    log: EventLog, model: ReadModel, build: Rebuild, sequence: int, progress: ReportProgress | None
) -> int:
    sequence = _catch_up(log, model, build, sequence, progress, None)
    build.switch()
    return sequence


def _catch_up(
    log: EventLog,
    model: ReadModel,
    build: Rebuild,
    sequence: int,
    progress: ReportProgress | None,
    cancelled: threading.Event | None,
) -> int:
    """Project what follows *sequence*, up to the end of the log; return the sequence reached."""
    selection = EVERYTHING if model.topics is None else Selection(topics=tuple(sorted(model.topics)))
    target = log.tip().sequence
    while sequence < target:
        if cancelled is not None and cancelled.is_set():
            raise RebuildCancelledError(f"the rebuild of {model.name} was cancelled at event {sequence}")
        records = log.read(sequence, _BATCH, selection)
        last = records[-1].sequence if records else 0
        sequence = last if len(records) == _BATCH else max(target, last)
        build.apply(project_strictly(model, decode(log, records)), sequence)
        target = max(target, log.tip().sequence)
        if progress is not None:
            progress(sequence, target)
    return sequence
