"""Retry the events that could not be projected, in the order of their streams."""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from commands.log import EventLog
from projections.model import ReadModel
from projections.store import Change, Checkpoint, DeadLetter, DocumentStore
from streams.batch_projection import DecodedRecord, PoisonError, decode, project_one
from streams.runner import Runner


def retry(log: EventLog, store: DocumentStore, runners: Iterable[Runner]) -> dict[str, int]:
    """Retry every dead letter; return how many were `solved` and how many are `left`.

    A stream is unblocked when its last dead letter is solved. The first one that fails again keeps those
    after it waiting.
    """
    solved = left = 0
    for runner in runners:
        with runner.paused():
            for model in runner.models:
                dead_letters = store.dead_letters(model.name)
                for stream in dict.fromkeys(letter.stream for letter in dead_letters):
                    queue = [letter for letter in dead_letters if letter.stream == stream]
                    solved_here = _retry_stream(log, store, model, queue)
                    solved += solved_here
                    left += len(queue) - solved_here
            runner.reload()
    return {"solved": solved, "left": left}


def _retry_stream(log: EventLog, store: DocumentStore, model: ReadModel, queue: list[DeadLetter]) -> int:
    change = solve(
        model,
        store.checkpoints()[model.name],
        queue,
        lambda sequence: decode(log, log.read(sequence - 1, 1))[0],
    )
    store.apply([change])
    return len(change.solved)


def solve(
    model: ReadModel,
    checkpoint: Checkpoint,
    queue: Sequence[DeadLetter],
    read: Callable[[int], DecodedRecord],
) -> Change:
    """Return what a retry of *queue*, the dead letters of one stream in their order, does to *model*.

    The first one that fails again keeps those after it waiting. If none is left, the stream is unblocked.
    """
    solved: list[int] = []
    writes = []
    for letter in queue:
        try:
            event_writes = project_one(model, read(letter.sequence))
            writes.append((letter.sequence * model.positions, event_writes))
        except PoisonError:
            break
        solved.append(letter.sequence)
    blocked = checkpoint.blocked if len(solved) < len(queue) else checkpoint.blocked - {queue[0].stream}
    return Change(
        model=model.name,
        writes=writes,
        checkpoint=replace(checkpoint, blocked=frozenset(blocked)),
        solved=solved,
        partition=queue[0].partition,
    )
