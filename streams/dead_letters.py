"""Retry what could not be projected, in the order of its stream."""

from collections.abc import Iterable

from commands.log import EventLog
from projections.model import ReadModel
from projections.store import Change, Checkpoint, DeadLetter, DocumentStore
from streams.projecting import PoisonError, decode, project_one
from streams.runner import Runner


def retry(log: EventLog, store: DocumentStore, runners: Iterable[Runner]) -> dict[str, int]:
    """Retry every dead letter; return how many were `solved` and how many are `left`.

    A stream is unblocked when its last letter is solved; the first that fails again keeps those behind it waiting.
    """
    solved = left = 0
    for runner in runners:
        with runner.paused():
            for model in runner.models:
                letters = store.dead_letters(model.name)
                for stream in dict.fromkeys(letter.stream for letter in letters):
                    queue = [letter for letter in letters if letter.stream == stream]
                    done = _retry_stream(log, store, model, queue)
                    solved += done
                    left += len(queue) - done
            runner.reload()
    return {"solved": solved, "left": left}


def _retry_stream(log: EventLog, store: DocumentStore, model: ReadModel, queue: list[DeadLetter]) -> int:
    checkpoint = store.checkpoints()[model.name]
    done: list[int] = []
    writes = []
    for letter in queue:
        item = decode(log, log.read(letter.sequence - 1, 1))[0]
        try:
            writes.append((letter.sequence, project_one(model, item)))
        except PoisonError:
            break
        done.append(letter.sequence)
    blocked = checkpoint.blocked if len(done) < len(queue) else checkpoint.blocked - {queue[0].stream}
    after = Checkpoint(sequence=checkpoint.sequence, blocked=frozenset(blocked))
    store.apply([Change(model=model.name, writes=writes, checkpoint=after, solved=done)])
    return len(done)
