"""What workers projected, told to the nodes that answer queries: Redis pub/sub, with the store as the fallback."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import msgspec
import redis
import structlog
from msgspec import Struct

from projections.progress import Progress
from projections.store import Checkpoint, DocumentStore, StoreUnavailableError

logger = structlog.get_logger(__name__)

MANY_HOMES = 200
"""A batch that touches more homes names none: then everything may have changed."""
_POLL_SECONDS = 0.25
_PAUSE_SECONDS = 0.5
_JOIN_SECONDS = 5.0

Touched = Callable[[set[str] | None, int, int], None]
"""Gets the homes whose documents may have changed (None: any), the sequence written up to, and the partition."""


class Projected(Struct, frozen=True, kw_only=True):
    """One kept batch of the worker group *group*: the events above *after*, up to *upto*.

    *homes* are those whose documents may have changed, None for all. *models* is how far each model is now.
    """

    group: str
    partition: int
    after: int
    upto: int
    homes: tuple[str, ...] | None
    models: dict[str, int]
    blocked: dict[str, tuple[str, ...]]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Projected)


def channel_of(prefix: str) -> str:
    """Return the name of the channel."""
    return f"{prefix}projected"


def projected(
    group: str,
    partition: int,
    after: int,
    upto: int,
    homes: Iterable[str] | None,
    checkpoints: Mapping[str, Checkpoint],
) -> Projected:
    """Return the message of a kept batch."""
    named = None if homes is None else tuple(sorted(set(homes)))
    return Projected(
        group=group,
        partition=partition,
        after=after,
        upto=upto,
        homes=None if named is None or len(named) > MANY_HOMES else named,
        models={name: checkpoint.sequence for name, checkpoint in checkpoints.items()},
        blocked={name: tuple(sorted(c.blocked)) for name, c in checkpoints.items() if c.blocked},
    )


class ProgressPublisher:
    """Tells who listens; where Redis is away, says so once and goes on: listeners look at the store too."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        """Publish through *client*."""
        self._client = client
        self._channel = channel_of(prefix)
        self._away = False

    def publish(self, message: Projected) -> None:
        """Publish *message*; never raises."""
        try:
            self._client.publish(self._channel, _encoder.encode(message))
            self._away = False
        except redis.RedisError as error:
            if not self._away:
                self._away = True
                logger.warning("channel away", channel=self._channel, reason=str(error))


class Heard:
    """What a listener concludes from messages and from the store's checkpoints: touch first, then report."""

    def __init__(self, progress: Progress, touched: Touched) -> None:
        """Report to *progress* and *touched*."""
        self._progress = progress
        self._touched = touched
        self._upto: dict[tuple[str, int], int] = {}
        self._seen: dict[int, Mapping[str, int]] = {}

    def message(self, message: Projected) -> None:
        """Take a worker's message; where the one before it is missing, anything may have changed."""
        source, partition = (message.group, message.partition), message.partition
        known = self._upto.get(source)
        follows = known is not None and message.after <= known
        self._touched(
            None if message.homes is None or not follows else set(message.homes), message.upto, partition
        )
        self._upto[source] = message.upto
        forward = {n: at for n, at in message.models.items() if at >= self._progress.sequence(n, partition)}
        blocked = {n: frozenset(message.blocked.get(n, ())) for n in forward}
        self._progress.report(forward, blocked, partition)

    def stored(self, checkpoints: Mapping[str, Checkpoint], *, at_once: bool, partition: int = 0) -> None:
        """Take the store's checkpoints of *partition*: what they are ahead by had no message.

        A message may just be under way, so that only what the look before this one saw counts, unless *at_once*. A
        model that stands lower than was told, twice, began anew: a newer version of it is being filled.
        """
        now = {name: checkpoint.sequence for name, checkpoint in checkpoints.items()}
        before, self._seen[partition] = self._seen.get(partition, {}), now
        due = now if at_once else before
        reached = self._progress.models(partition)
        missed = {name: at for name, at in now.items() if due.get(name, 0) > reached.get(name, 0)}
        reset = {name: at for name, at in now.items() if before.get(name, at) == at < reached.get(name, 0)}
        known = self._progress.blocked
        blocked = {n: c.blocked for n, c in checkpoints.items() if c.blocked != known(n, partition)}
        if missed or reset:
            self._touched(None, max((missed | reset).values()), partition)
        if missed or reset or blocked:
            self._progress.report(missed | reset, blocked, partition)


class ProjectedListener:
    """A thread that hears what workers project and reports it; without Redis it looks at the store alone."""

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
    ) -> None:
        """Listen through *client*, and look at *store* every *poll_seconds*."""
        self._partitions = partitions
        self._client = client
        self._channel = channel_of(prefix)
        self._store = store
        self._heard = Heard(progress, touched)
        self._poll_seconds = poll_seconds
        self._ended = threading.Event()
        self._looked = 0.0
        self._away = False
        self._thread = threading.Thread(target=self._run, name="projected-listener", daemon=True)

    def start(self) -> None:
        """Take the store's checkpoints, and listen from now on."""
        self._look(at_once=True)
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
                if not self._away:
                    self._away = True
                    logger.warning("channel away", channel=self._channel, reason=str(error))
            except Exception:
                logger.exception("listening failed")
            try:
                self._look(at_once=True)
            except Exception:  # a fault of ours must not leave the node deaf
                logger.exception("looking failed")
            self._ended.wait(min(_PAUSE_SECONDS, self._poll_seconds))

    def _listen(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call] # redis-py
            subscription.subscribe(self._channel)
            subscription.get_message(timeout=self._poll_seconds)  # the subscription's own answer
            self._away = False
            self._look(at_once=True)
            while not self._ended.is_set():
                message = subscription.get_message(timeout=self._poll_seconds)
                if message is not None:
                    self._take(message["data"])
                if time.monotonic() - self._looked >= self._poll_seconds:
                    self._look(at_once=False)

    def _take(self, data: bytes) -> None:
        try:
            message = _decoder.decode(data)
        except msgspec.MsgspecError as error:
            logger.warning("not a message of a worker", reason=str(error))
            return
        self._heard.message(message)

    def _look(self, *, at_once: bool) -> None:
        self._looked = time.monotonic()
        with suppress(StoreUnavailableError):
            for partition in range(self._partitions):
                found = self._store.checkpoints(partition)
                self._heard.stored(found, at_once=at_once, partition=partition)
