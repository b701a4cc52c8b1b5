"""The key store of the cluster profile: keys wrapped by the master key, in a collection of MongoDB."""

import os
import time
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from commands.keys import KEY_SIZE
from commands.log import LogUnavailableError

_CACHED = 10_000
_AWAY_SECONDS = 1.0


class MongoKeyStore:
    """Keep one AES key for each subject, wrapped (RFC 3394), apart from the log: a copy of the log holds none.

    Of two processes that make a subject's key at once, the first wins, and both use it.
    """

    def __init__(self, collection: Any, master_key: bytes) -> None:
        """Keep the keys in *collection*, a `pymongo.collection.Collection` with majority concerns."""
        self._collection = collection
        self._master_key = master_key
        self._cache: dict[str, bytes] = {}
        self._away_until = 0.0

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key, from memory where it was used of late; raises LogUnavailableError."""
        found = self._cache.get(subject)
        if found is None:
            found = self._load([subject]).get(subject)
        return found

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make the missing keys, durably; raises LogUnavailableError."""
        missing = [subject for subject in subjects if subject not in self._cache]
        if not missing:
            return
        unknown = [subject for subject in missing if subject not in self._load(missing)]
        if not unknown:
            return
        wrapped = {subject: aes_key_wrap(self._master_key, os.urandom(KEY_SIZE)) for subject in unknown}
        try:
            self._collection.bulk_write(
                [
                    UpdateOne({"_id": subject}, {"$setOnInsert": {"wrapped": key}}, upsert=True)
                    for subject, key in wrapped.items()
                ],
                ordered=False,
            )
        except PyMongoError as error:
            raise self._away(error) from error
        self._load(unknown)

    def close(self) -> None:
        """Forget the keys; the client belongs to who made it."""
        self._cache.clear()

    def _load(self, subjects: list[str]) -> dict[str, bytes]:
        if time.monotonic() < self._away_until:
            raise LogUnavailableError("the keys of people cannot be read: MongoDB was away a moment ago")
        try:
            rows = list(self._collection.find({"_id": {"$in": subjects}}))
        except PyMongoError as error:
            raise self._away(error) from error
        found = {row["_id"]: aes_key_unwrap(self._master_key, bytes(row["wrapped"])) for row in rows}
        while len(self._cache) + len(found) > _CACHED and self._cache:
            self._cache.pop(next(iter(self._cache)))
        self._cache.update(found)
        return found

    def _away(self, error: PyMongoError) -> LogUnavailableError:
        """Ask nobody for a while: each question of a server that is away costs its whole timeout."""
        self._away_until = time.monotonic() + _AWAY_SECONDS
        return LogUnavailableError(f"the keys of people cannot be read or kept: {error}")
