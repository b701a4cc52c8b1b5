"""A lock that processes share: one document, which expires when its holder is gone."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError

from projections.writes import Document

LOCKS = "locks"
_SECONDS = 60.0


class LockedError(Exception):
    """Another process holds the lock."""


class Lock:
    """A lock that is held. Call `check` before each step that no other process may take at the same time."""

    def __init__(self, database: Database[Document], name: str, seconds: float) -> None:
        """Take the lock *name* for *seconds*; raises LockedError if another process holds it."""
        self._locks = database[LOCKS]
        self._name = name
        self._seconds = seconds
        self._token = secrets.token_hex(16)
        self._admin = database.client.admin
        self._take()

    def check(self) -> None:
        """Extend the lock; raises LockedError if it has been lost."""
        held = {"_id": self._name, "token": self._token}
        if not self._locks.update_one(held, {"$set": {"until": self._until()}}).matched_count:
            raise LockedError(f"the lock {self._name} was lost: this process stood still for too long")

    def release(self) -> None:
        """Release the lock, if it is still held."""
        self._locks.delete_one({"_id": self._name, "token": self._token})

    def _take(self) -> None:
        free = {"_id": self._name, "until": {"$lt": self._now()}}
        mine = {"token": self._token, "until": self._until()}
        try:
            self._locks.update_one(free, {"$set": mine}, upsert=True)
        except DuplicateKeyError:
            raise LockedError(
                f"another process holds the lock {self._name}: wait for it, or {self._seconds:.0f} seconds"
            ) from None

    def _now(self) -> datetime:
        now: datetime = self._admin.command("hello")["localTime"]
        return now

    def _until(self) -> datetime:
        return self._now() + timedelta(seconds=self._seconds)


@contextmanager
def locked(database: Database[Document], name: str, *, seconds: float = _SECONDS) -> Iterator[Lock]:
    """Hold the lock *name* until the block ends; after a crash it expires within *seconds*."""
    lock = Lock(database, name, seconds)
    ended = threading.Event()
    renewal = threading.Thread(
        target=_renew, args=(lock, ended, seconds / 3), daemon=True, name=f"lock-{name}"
    )
    renewal.start()
    try:
        yield lock
    finally:
        ended.set()
        renewal.join()
        lock.release()


def _renew(lock: Lock, ended: threading.Event, pause: float) -> None:
    while not ended.wait(pause):
        try:
            lock.check()
        except LockedError:
            return  # the holder's next check raises it too
        except PyMongoError:
            continue  # the server may be back before the lock expires
