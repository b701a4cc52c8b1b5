"""The keys that encrypt personal data, one for each person: destroying a key erases the data everywhere."""

import os
from collections.abc import Iterable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import ConflictError

KEY_SIZE = 32
_NONCE_SIZE = 12


class KeyDestroyedError(ConflictError):
    """The key of an erased person was destroyed for good: no personal data can be written about them."""

    code = "person_erased"


class KeyStore(Protocol):
    """Stores the keys, wrapped by the master key. Its methods may be called from any thread."""

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key; None where it was never created or is destroyed."""
        ...

    def ensure(self, subjects: Iterable[str]) -> None:
        """Create keys for those of *subjects* who have none, durably, in one step.

        Raises KeyDestroyedError where one of their keys is destroyed.
        """
        ...

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy the keys of *subjects*, durably, and record it: no new key is ever created for them."""
        ...

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop the keys of *subjects* from this process's cache: another process destroyed them."""
        ...

    def rewrap(self) -> int:
        """Re-wrap every key that an older master key wrapped, and return how many there were."""
        ...

    def close(self) -> None:
        """Release the resources of the store."""
        ...


class PersonalCipher:
    """Encrypts and decrypts personal fields with AES-256-GCM under the subject's key."""

    def __init__(self, keys: KeyStore) -> None:
        """Take the keys from *keys*."""
        self._keys = keys

    def prepare(self, subjects: Iterable[str]) -> None:
        """Create the keys that the next encryptions need, in one durable step; raises KeyDestroyedError."""
        self._keys.ensure(subjects)

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop the keys of *subjects* from this process's cache."""
        self._keys.forget(subjects)

    def encrypt(self, subject: str, context: str, plain: bytes) -> bytes:
        """Encrypt *plain*, to be decrypted in this *context* alone; raises KeyError without a key."""
        key = self._keys.get(subject)
        if key is None:
            raise KeyError(f"no key for {subject}")
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())

    def decrypt(self, subject: str, context: str, data: bytes) -> bytes | None:
        """Decrypt *data*; None where the subject's key is destroyed. Raises ValueError for altered data."""
        key = self._keys.get(subject)
        if key is None:
            return None
        try:
            return AESGCM(key).decrypt(data[:_NONCE_SIZE], data[_NONCE_SIZE:], context.encode())
        except InvalidTag as error:
            raise ValueError(
                f"personal data of {context} cannot be decrypted with its key: it was altered"
            ) from error
