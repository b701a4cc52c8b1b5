"""Causally consistent reads: what a checkpoint includes is there for whoever reads after it, on any node."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession

from projections.mongodb.connection import Client


class Sessions:
    """Sessions that read no earlier state than the last checkpoint that was seen through them."""

    def __init__(self, client: Client) -> None:
        """Begin with nothing seen."""
        self._client = client
        self._seen: Timestamp | None = None
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[ClientSession]:
        """Yield a session that is not behind what was seen."""
        with self._client.start_session(causal_consistency=True) as session:
            if self._seen is not None:
                session.advance_operation_time(self._seen)
            yield session

    @contextmanager
    def seeing(self) -> Iterator[ClientSession]:
        """Yield a session whose reads every later one includes."""
        with self.reading() as session:
            yield session
            time = session.operation_time
        with self._lock:
            if time is not None and (self._seen is None or time > self._seen):
                self._seen = time
