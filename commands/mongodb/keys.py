"""The key store of the cluster profile: keys wrapped by the master key, in a collection of MongoDB."""

import math
import os
import time
from collections.abc import Iterable
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from commands.keys import KEY_SIZE, KeyDestroyedError
from commands.kms import Kms
from commands.log import LogUnavailableError

_CACHED = 10_000
_AWAY_SECONDS = 1.0
_CHUNK = 500


class MongoKeyStore:
    """Keep one AES key for each subject, wrapped, apart from the log: a copy of the log holds none.

    Of two processes that make a subject's key at once, the first wins, and both use it. A destroyed key leaves its
    document without a key.
    """

    def __init__(self, collection: Any, kms: Kms, remembered_seconds: float = math.inf) -> None:
        """Keep the keys in *collection*, a `pymongo.collection.Collection` with majority concerns.

        Who does not hear of every erasure remembers a key for *remembered_seconds* at most.
        """
        self._collection = collection
        self._kms = kms
        self._cache: dict[str, tuple[bytes, float]] = {}
        self._remembered_seconds = remembered_seconds
        self._away_until = 0.0

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key, from memory where it was used of late; raises LogUnavailableError."""
        found = self._cache.get(subject)
        if found is not None and found[1] > time.monotonic():
            return found[0]
        return self._load([subject]).get(subject)

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make the missing keys, durably; raises LogUnavailableError and KeyDestroyedError."""
        now = time.monotonic()
        missing = [s for s in subjects if (found := self._cache.get(s)) is None or found[1] <= now]
        if not missing:
            return
        known = self._load(missing)
        unknown = [subject for subject in missing if subject not in known]
        if not unknown:
            return
        wrapped = {subject: self._kms.wrap(os.urandom(KEY_SIZE)) for subject in unknown}
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
        made = self._load(unknown)
        for subject in unknown:
            if subject not in made:
                raise KeyDestroyedError("the person whom this is about was erased")

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy keys; raises LogUnavailableError."""
        found = list(subjects)
        try:
            self._collection.bulk_write(
                [UpdateOne({"_id": subject}, {"$set": {"wrapped": None}}, upsert=True) for subject in found],
                ordered=False,
            )
        except PyMongoError as error:
            raise self._away(error) from error
        self.forget(found)

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop keys from memory."""
        for subject in subjects:
            self._cache.pop(subject, None)

    def rewrap(self) -> int:
        """Wrap what an older master key wrapped anew; raises LogUnavailableError. Who stops in between goes on later."""
        done, last = 0, ""
        try:
            while rows := list(self._collection.find({"_id": {"$gt": last}}).sort("_id", 1).limit(_CHUNK)):
                last = rows[-1]["_id"]
                old = [
                    row for row in rows if row["wrapped"] is not None and self._is_old(bytes(row["wrapped"]))
                ]
                for row in old:  # a key that is destroyed meanwhile stays so
                    anew = self._kms.wrap(self._kms.unwrap(bytes(row["wrapped"])))
                    self._collection.update_one(row, {"$set": {"wrapped": anew}})
                done += len(old)
        except PyMongoError as error:
            raise self._away(error) from error
        return done

    def close(self) -> None:
        """Forget the keys; the client belongs to who made it."""
        self._cache.clear()

    def _is_old(self, wrapped: bytes) -> bool:
        return self._kms.version_of(wrapped) != self._kms.version

    def _load(self, subjects: list[str]) -> dict[str, bytes]:
        if time.monotonic() < self._away_until:
            raise LogUnavailableError("the keys of people cannot be read: MongoDB was away a moment ago")
        try:
            rows = list(self._collection.find({"_id": {"$in": subjects}}))
        except PyMongoError as error:
            raise self._away(error) from error
        found = {
            row["_id"]: self._kms.unwrap(bytes(row["wrapped"])) for row in rows if row["wrapped"] is not None
        }
        while len(self._cache) + len(found) > _CACHED and self._cache:
            self._cache.pop(next(iter(self._cache)))
        until = time.monotonic() + self._remembered_seconds
        self._cache.update({subject: (key, until) for subject, key in found.items()})
        return found

    def _away(self, error: PyMongoError) -> LogUnavailableError:
        """Ask nobody for a while: each question of a server that is away costs its whole timeout."""
        self._away_until = time.monotonic() + _AWAY_SECONDS
        return LogUnavailableError(f"the keys of people cannot be read or kept: {error}")
