"""Which nodes are alive: each one announces itself in Redis every second, and counts as dead after three."""

import threading
import time
from collections.abc import Mapping

import redis
import structlog

ALIVE_SECONDS = 3.0
_EVERY_SECONDS = 1.0

logger = structlog.get_logger(__name__)


class Heartbeat:
    """Announces this node's address, and knows the addresses of the nodes that are alive.

    Without Redis no node is known to be alive, and each one appends by itself: slower where they compete, but
    right.
    """

    def __init__(self, client: "redis.Redis", key: str, address: str | None) -> None:
        """Announce *address* (None: only read the others') in the hash *key*, from a thread of its own."""
        self._client = client
        self._key = key
        self._address = address
        self._alive: Mapping[str, float] = {}
        self._silent: dict[str, float] = {}
        self._ended = threading.Event()
        self._unavailable = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def alive(self) -> list[str]:
        """Return the addresses of nodes that are alive and were not silent since their last heartbeat."""
        now = time.monotonic()
        return [
            node
            for node, beat in self._alive.items()
            if beat > now - ALIVE_SECONDS and self._silent.get(node, 0.0) < beat
        ]

    def was_silent(self, node: str) -> None:
        """Note that *node* did not answer: no command is sent to it until its next heartbeat."""
        self._silent[node] = time.monotonic()

    def close(self) -> None:
        """End the thread, and take this node's address back."""
        self._ended.set()
        self._thread.join(timeout=5)
        if self._address is not None:
            try:
                self._client.hdel(self._key, self._address)
            except redis.RedisError as error:
                logger.info("address not removed", reason=str(error))

    def _run(self) -> None:
        beats: dict[str, tuple[int, float]] = {}
        count = 0
        while True:
            count += 1
            try:
                if self._address is not None:
                    self._client.hset(self._key, self._address, count)
                counts = self._client.hgetall(self._key)
            except redis.RedisError as error:
                self._lost(error)
            else:
                self._unavailable = False
                beats = self._timed(beats, {_text(name): int(value) for name, value in dict(counts).items()})
            if self._ended.wait(_EVERY_SECONDS):
                return

    def _timed(
        self, before: dict[str, tuple[int, float]], counts: Mapping[str, int]
    ) -> dict[str, tuple[int, float]]:
        """Return when each count was first seen by this node's clock; clocks are never compared."""
        now, beats = time.monotonic(), {}
        for node, count in counts.items():
            last = before.get(node)
            beats[node] = last if last is not None and last[0] == count else (count, now)
        self._alive = {node: moment for node, (_, moment) in beats.items()}
        return beats

    def _lost(self, error: redis.RedisError) -> None:
        self._alive = {}
        if not self._unavailable:
            self._unavailable = True
            logger.warning("no heartbeats, each node appends by itself", reason=str(error))


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
