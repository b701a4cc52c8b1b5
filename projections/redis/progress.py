"""Tell nodes what workers have projected, through Redis pub/sub or else the store's checkpoints."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import msgspec
import redis
import structlog
from msgspec import Struct, field

from projections.progress import Progress
from projections.store import Checkpoint, DocumentStore, StoreUnavailableError
from telemetry import tracing

logger = structlog.get_logger(__name__)

MANY_HOMES = 200
"""A batch that touches more homes names none of them: then everything may have changed."""
_POLL_SECONDS = 0.25
_STORE_SECONDS = 1.0
"""A message may be lost: with a worker that ends, or because Redis does not reach it."""

_PAUSE_SECONDS = 0.5
_SPAN = {"db.system.name": "redis", "db.operation.name": "PUBLISH"}
_JOIN_SECONDS = 5.0

Touched = Callable[[set[str] | None, int, int], None]
"""Gets the homes whose documents may have changed (None: any), the sequence and the partition."""


class ProjectedBatch(Struct, frozen=True, kw_only=True):
    """The message about a stored batch of the group *group*: the events after *after*, through *through*.

    *homes* are those whose documents may have changed, None for all. *models* is how far each model is now.
    """

    group: str
    partition: int
    after: int
    through: int = field(name="upto")
    homes: tuple[str, ...] | None
    models: dict[str, int]
    blocked: dict[str, tuple[str, ...]]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ProjectedBatch)


def channel_of(prefix: str) -> str:
    """Return the name of the channel of an installation whose names begin with *prefix*."""
    return f"{prefix}projected"


def batch_message(
    group: str,
    partition: int,
    after: int,
    through: int,
    homes: Iterable[str] | None,
    checkpoints: Mapping[str, Checkpoint],
) -> ProjectedBatch:
    """Return the message about a stored batch."""
    named = None if homes is None else tuple(sorted(set(homes)))
    return ProjectedBatch(
        group=group,
        partition=partition,
        after=after,
        through=through,
        homes=None if named is None or len(named) > MANY_HOMES else named,
        models={name: checkpoint.sequence for name, checkpoint in checkpoints.items()},
        blocked={
            name: tuple(sorted(checkpoint.blocked))
            for name, checkpoint in checkpoints.items()
            if checkpoint.blocked
        },
    )


class ProgressPublisher:
    """Publish batches to nodes. If Redis is unavailable, log that once: listeners read the store too."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        """Publish through *client*."""
        self._client = client
        self._channel = channel_of(prefix)
        self._unavailable = False

    def publish(self, message: ProjectedBatch) -> None:
        """Publish *message*; never raises."""
        try:
            with tracing.part("publish progress", tracing.Kind.PRODUCER, _SPAN):
                self._client.publish(self._channel, _encoder.encode(message))
            self._unavailable = False
        except redis.RedisError as error:
            if not self._unavailable:
                self._unavailable = True
                logger.warning("channel unavailable", channel=self._channel, reason=str(error))


class ProgressTracker:
    """Conclude the progress from messages and from the store's checkpoints; touch first, then report."""

    def __init__(self, progress: Progress, touched: Touched) -> None:
        """Report to *progress* and *touched*."""
        self._progress = progress
        self._touched = touched
        self._through: dict[tuple[str, int], int] = {}
        self._stored: dict[int, Mapping[str, int]] = {}

    def take_message(self, message: ProjectedBatch) -> None:
        """Report a worker's batch; if the message before it is missing, anything may have changed."""
        source, partition = (message.group, message.partition), message.partition
        known = self._through.get(source)
        follows = known is not None and message.after <= known
        homes = set(message.homes) if message.homes is not None and follows else None
        self._touched(homes, message.through, partition)
        self._through[source] = message.through
        forward = {
            name: sequence
            for name, sequence in message.models.items()
            if sequence >= self._progress.sequence(name, partition)
        }
        blocked = {name: frozenset(message.blocked.get(name, ())) for name in forward}
        self._progress.report(forward, blocked, partition)

    def take_checkpoints(
        self, checkpoints: Mapping[str, Checkpoint], *, at_once: bool, partition: int = 0
    ) -> None:
        """Report where the store's checkpoints of *partition* are ahead of the messages.

        A message may just be on its way, so that only what the previous call saw counts, unless *at_once*. A
        model that twice stands lower than was reported has begun again: a newer version of it is being
        filled.
        """
        now = {name: checkpoint.sequence for name, checkpoint in checkpoints.items()}
        before, self._stored[partition] = self._stored.get(partition, {}), now
        due = now if at_once else before
        reached = self._progress.models(partition)
        missed = {name: sequence for name, sequence in now.items() if due.get(name, 0) > reached.get(name, 0)}
        reset = {
            name: sequence
            for name, sequence in now.items()
            if before.get(name, sequence) == sequence < reached.get(name, 0)
        }
        blocked = {
            name: checkpoint.blocked
            for name, checkpoint in checkpoints.items()
            if checkpoint.blocked != self._progress.blocked(name, partition)
        }
        if missed or reset:
            self._touched(None, max((missed | reset).values()), partition)
        if missed or reset or blocked:
            self._progress.report(missed | reset, blocked, partition)


class ProgressListener:
    """A thread that listens to workers and reports their progress; without Redis it reads the store alone."""

    def __init__(
        self,
        client: "redis.Redis",
        prefix: str,
        store: DocumentStore,
        progress: Progress,
        touched: Touched,
        *,
        partitions: int = 1,
        poll_seconds: float = _POLL_SECONDS,
        store_seconds: float = _STORE_SECONDS,
    ) -> None:
        """Listen through *client*, and read the checkpoints of *store* every *store_seconds*.

        Without the channel, read them every *poll_seconds*.
        """
        self._partitions = partitions
        self._client = client
        self._channel = channel_of(prefix)
        self._store = store
        self._tracker = ProgressTracker(progress, touched)
        self._poll_seconds = poll_seconds
        self._store_seconds = store_seconds
        self._ended = threading.Event()
        self._polled = 0.0
        self._unavailable = False
        self._thread = threading.Thread(target=self._run, name="progress-listener", daemon=True)

    def start(self) -> None:
        """Report the store's checkpoints, and listen from now on."""
        self._poll(at_once=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._listen()
            except redis.RedisError as error:
                if not self._unavailable:
                    self._unavailable = True
                    logger.warning("channel unavailable", channel=self._channel, reason=str(error))
            except Exception:
                logger.exception("listening failed")
            try:
                self._poll(at_once=True)
            except Exception:  # after an error of ours, the node must still learn of progress
                logger.exception("polling failed")
            self._ended.wait(min(_PAUSE_SECONDS, self._poll_seconds))

    def _listen(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call] # redis-py
            subscription.subscribe(self._channel)
            subscription.get_message(timeout=self._poll_seconds)  # the answer to the subscription itself
            self._unavailable = False
            self._poll(at_once=True)
            while not self._ended.is_set():
                message = subscription.get_message(timeout=self._poll_seconds)
                if message is not None:
                    self._take(message["data"])
                if time.monotonic() - self._polled >= self._store_seconds:
                    self._poll(at_once=False)

    def _take(self, data: bytes) -> None:
        try:
            message = _decoder.decode(data)
        except msgspec.MsgspecError as error:
            logger.warning("not a message of a worker", reason=str(error))
            return
        self._tracker.take_message(message)

    def _poll(self, *, at_once: bool) -> None:
        self._polled = time.monotonic()
        with suppress(StoreUnavailableError):
            for partition in range(self._partitions):
                checkpoints = self._store.checkpoints(partition)
                self._tracker.take_checkpoints(checkpoints, at_once=at_once, partition=partition)
