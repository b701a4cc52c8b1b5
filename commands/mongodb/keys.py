"""The key store of the cluster profile: keys wrapped by the master key, in a collection of MongoDB."""

import math
import os
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from commands.keys import KEY_SIZE, KeyDestroyedError
from commands.kms import Kms
from commands.log import LogUnavailableError

_CACHED = 10_000
_UNAVAILABLE_SECONDS = 1.0
_CHUNK = 500


class MongoKeyStore:
    """Stores one wrapped AES key for each subject, apart from the log: a copy of the log holds no key.

    Where two processes make a subject's key at once, both use the one that was stored first. A destroyed key
    leaves its document without a key.
    """

    def __init__(self, collection: Any, kms: Kms, remembered_seconds: float = math.inf) -> None:
        """Store the keys in *collection*, a `pymongo.collection.Collection` with majority concerns.

        A process that does not follow every partition may miss an erasure; it caches a key for at most
        *remembered_seconds*.
        """
        self._collection = collection
        self._kms = kms
        self._cache: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._remembered_seconds = remembered_seconds
        self._unavailable_until = 0.0

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key, from memory where it was used recently; None where there is none.

        Raises LogUnavailableError.
        """
        cached = self._cache.get(subject)
        if cached is not None and cached[1] > time.monotonic():
            return cached[0]
        return self._load([subject]).get(subject)

    def at_hand(self, subject: str) -> bytes | None:
        """Return the subject's key from memory; None where it was not used recently."""
        cached = self._cache.get(subject)
        return cached[0] if cached is not None and cached[1] > time.monotonic() else None

    def is_destroyed(self, subject: str) -> bool:
        """Return whether the subject's key was destroyed; raises LogUnavailableError."""
        if self.get(subject) is not None:
            return False
        try:
            row = self._collection.find_one({"_id": subject})
        except PyMongoError as error:
            raise self._unavailable(error) from error
        return row is not None and row["wrapped"] is None

    def one_wrapped(self, version: int) -> bytes | None:
        """Return any key that this *version* of the master key wrapped; raises LogUnavailableError."""
        try:
            for document in self._collection.find({"wrapped": {"$ne": None}}).limit(_CHUNK):
                wrapped = bytes(document["wrapped"])
                if self._kms.version_of(wrapped) == version:
                    return wrapped
        except PyMongoError as error:
            raise LogUnavailableError(f"the keys of people cannot be read: {error}") from error
        return None

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make the missing keys, durably; raises LogUnavailableError and KeyDestroyedError."""
        now = time.monotonic()
        missing = [s for s in subjects if (cached := self._cache.get(s)) is None or cached[1] <= now]
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
            raise self._unavailable(error) from error
        stored = self._load(unknown)
        for subject in unknown:
            if subject not in stored:
                raise KeyDestroyedError("the person that this is about was erased")

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy keys; raises LogUnavailableError."""
        destroyed = list(subjects)
        try:
            self._collection.bulk_write(
                [
                    UpdateOne({"_id": subject}, {"$set": {"wrapped": None}}, upsert=True)
                    for subject in destroyed
                ],
                ordered=False,
            )
        except PyMongoError as error:
            raise self._unavailable(error) from error
        self.forget(destroyed)

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop keys from memory."""
        for subject in subjects:
            self._cache.pop(subject, None)

    def rewrap(self) -> int:
        """Re-wrap every key that an older master key wrapped, and return how many there were.

        It is safe to interrupt: the next call continues. Raises LogUnavailableError.
        """
        count, last = 0, ""
        try:
            while rows := list(self._collection.find({"_id": {"$gt": last}}).sort("_id", 1).limit(_CHUNK)):
                last = rows[-1]["_id"]
                old = [
                    row for row in rows if row["wrapped"] is not None and self._is_old(bytes(row["wrapped"]))
                ]
                for (
                    row
                ) in old:  # the filter is the whole row, so a key that is destroyed in the meantime stays so
                    rewrapped = self._kms.wrap(self._kms.unwrap(bytes(row["wrapped"])))
                    self._collection.update_one(row, {"$set": {"wrapped": rewrapped}})
                count += len(old)
        except PyMongoError as error:
            raise self._unavailable(error) from error
        return count

    def close(self) -> None:
        """Forget the keys; the caller closes the client, which is its own."""
        self._cache.clear()

    def _is_old(self, wrapped: bytes) -> bool:
        return self._kms.version_of(wrapped) != self._kms.version

    def _load(self, subjects: list[str]) -> dict[str, bytes]:
        if time.monotonic() < self._unavailable_until:
            raise LogUnavailableError(
                "the keys of people cannot be read: MongoDB was unavailable a moment ago"
            )
        try:
            rows = list(self._collection.find({"_id": {"$in": subjects}}))
        except PyMongoError as error:
            raise self._unavailable(error) from error
        keys = {
            row["_id"]: self._kms.unwrap(bytes(row["wrapped"])) for row in rows if row["wrapped"] is not None
        }
        while len(self._cache) + len(keys) > _CACHED and self._cache:
            self._cache.popitem(last=False)
        until = time.monotonic() + self._remembered_seconds
        self._cache.update({subject: (key, until) for subject, key in keys.items()})
        return keys

    def _unavailable(self, error: PyMongoError) -> LogUnavailableError:
        """Do not ask MongoDB for a while: each request to an unavailable server takes its whole timeout."""
        self._unavailable_until = time.monotonic() + _UNAVAILABLE_SECONDS
        return LogUnavailableError(f"the keys of people cannot be read or stored: {error}")
