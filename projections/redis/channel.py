"""Publish how far the log is, through Redis pub/sub; the next message makes up for a lost one."""

import threading
from collections.abc import Iterator

import redis
import structlog

logger = structlog.get_logger(__name__)

_RETRY_SECONDS = 1.0
_INTERVAL_SECONDS = 0.02


class PositionPublisher:
    """Publish the latest sequence from a thread of its own, at most 50 times a second.

    A thread that appends never waits for Redis, and a burst of appends costs one message.
    """

    def __init__(self, client: "redis.Redis", channel: str) -> None:
        """Publish to *channel*."""
        self._client = client
        self._channel = channel
        self._sequence = 0
        self._due = threading.Event()
        self._ended = threading.Event()
        self._unavailable = False
        self._thread = threading.Thread(target=self._run, name="position-publisher", daemon=True)
        self._thread.start()

    def publish(self, sequence: int) -> None:
        """Publish that the log is at *sequence*; of several in a short time, only the last is sent."""
        self._sequence = sequence
        if not self._due.is_set():
            self._due.set()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._due.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._due.wait()
            if self._ended.wait(_INTERVAL_SECONDS):
                return
            self._due.clear()
            try:
                self._client.publish(self._channel, self._sequence)
                self._unavailable = False
            except redis.RedisError as error:
                if not self._unavailable:
                    self._unavailable = True
                    logger.warning("channel unavailable", reason=str(error))


def positions(client: "redis.Redis", channel: str, seconds: float = _RETRY_SECONDS) -> Iterator[int | None]:
    """Yield each published sequence, and None whenever *seconds* pass without one; never ends."""
    with client.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call] # redis-py
        subscription.subscribe(channel)
        while True:
            message = subscription.get_message(timeout=seconds)
            yield None if message is None else int(message["data"])
