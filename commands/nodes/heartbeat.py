"""Who is alive: each node says so in Redis every second, and is forgotten after three without."""

import threading
import time
from collections.abc import Mapping

import redis
import structlog

ALIVE_SECONDS = 3.0
_EVERY_SECONDS = 1.0

logger = structlog.get_logger(__name__)


class Heartbeat:
    """Announce this node's address, and keep the addresses of those that are alive.

    Without Redis nobody is known to be alive, and each node appends by itself: slower where they fight, and right.
    """

    def __init__(self, client: "redis.Redis", key: str, address: str | None) -> None:
        """Announce *address* (None: only listen) in the hash *key*, from a thread of its own."""
        self._client = client
        self._key = key
        self._address = address
        self._alive: Mapping[str, float] = {}
        self._silent: dict[str, float] = {}
        self._ended = threading.Event()
        self._away = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def alive(self) -> list[str]:
        """Return the addresses of nodes that are alive and have not been silent since their last heartbeat."""
        now = time.monotonic()
        return [
            node
            for node, (beat) in self._alive.items()
            if beat > now - ALIVE_SECONDS and self._silent.get(node, 0.0) < beat
        ]

    def was_silent(self, node: str) -> None:
        """Note that *node* did not answer: it gets nothing until its next heartbeat."""
        self._silent[node] = time.monotonic()

    def close(self) -> None:
        """Say goodbye."""
        self._ended.set()
        self._thread.join(timeout=5)
        if self._address is not None:
            try:
                self._client.hdel(self._key, self._address)
            except redis.RedisError as error:
                logger.info("no goodbye", reason=str(error))

    def _run(self) -> None:
        beats: dict[str, tuple[int, float]] = {}
        count = 0
        while True:
            count += 1
            try:
                if self._address is not None:
                    self._client.hset(self._key, self._address, count)
                found = self._client.hgetall(self._key)
            except redis.RedisError as error:
                self._lost(error)
            else:
                self._away = False
                beats = self._seen(beats, {_text(name): int(value) for name, value in dict(found).items()})
            if self._ended.wait(_EVERY_SECONDS):
                return

    def _seen(
        self, before: dict[str, tuple[int, float]], counts: Mapping[str, int]
    ) -> dict[str, tuple[int, float]]:
        """Take the time of each count by this node's own clock: clocks of different machines are never compared."""
        now, seen = time.monotonic(), {}
        for node, count in counts.items():
            last = before.get(node)
            seen[node] = last if last is not None and last[0] == count else (count, now)
        self._alive = {node: moment for node, (_, moment) in seen.items()}
        return seen

    def _lost(self, error: redis.RedisError) -> None:
        self._alive = {}
        if not self._away:
            self._away = True
            logger.warning("no heartbeats, each node appends by itself", reason=str(error))


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
