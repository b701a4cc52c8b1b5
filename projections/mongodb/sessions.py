"""Causally consistent reads: what a checkpoint includes is there for every later read, on any node."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession

from projections.mongodb.connection import Client


class CausalSessions:
    """Sessions that read no earlier state than the checkpoints that were last read through them."""

    def __init__(self, client: Client) -> None:
        """Begin with nothing read."""
        self._client = client
        self._observed: Timestamp | None = None
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[ClientSession]:
        """Yield a session whose reads include everything that was observed."""
        with self._client.start_session(causal_consistency=True) as session:
            if self._observed is not None:
                session.advance_operation_time(self._observed)
            yield session

    @contextmanager
    def observing(self) -> Iterator[ClientSession]:
        """Yield a session whose reads count as observed: every later session includes them."""
        with self.reading() as session:
            yield session
            time = session.operation_time
        with self._lock:
            if time is not None and (self._observed is None or time > self._observed):
                self._observed = time
