"""Keys of the people whom personal data is about; destroying one erases that data everywhere."""

import os
from collections.abc import Iterable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import ConflictError

KEY_SIZE = 32
_NONCE_SIZE = 12


class KeyDestroyedError(ConflictError):
    """Somebody was erased, and their key never comes back: nothing can be written about them any more."""

    code = "person_erased"


class KeyStore(Protocol):
    """Where the keys are kept, wrapped by the master key. Callable from any thread."""

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key; None where it was never made or has been destroyed."""
        ...

    def ensure(self, subjects: Iterable[str]) -> None:
        """Make keys for those of *subjects* who have none, durably, in one step.

        Raises KeyDestroyedError where one was destroyed.
        """
        ...

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy the keys of *subjects*, durably, and remember that they are: no new one is made."""
        ...

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop what this process remembers of the keys of *subjects*: another one destroyed them."""
        ...

    def rewrap(self) -> int:
        """Wrap every key anew that an older master key wrapped; return how many there were."""
        ...

    def close(self) -> None:
        """Release what the store holds."""
        ...


class PersonalCipher:
    """Encrypt and decrypt personal fields with AES-256-GCM under the subject's key."""

    def __init__(self, keys: KeyStore) -> None:
        """Take the keys from *keys*."""
        self._keys = keys

    def prepare(self, subjects: Iterable[str]) -> None:
        """Make the keys that the next encryptions need, in one durable step; raises KeyDestroyedError."""
        self._keys.ensure(subjects)

    def forget(self, subjects: Iterable[str]) -> None:
        """Drop what this process remembers of the keys of *subjects*."""
        self._keys.forget(subjects)

    def encrypt(self, subject: str, context: str, plain: bytes) -> bytes:
        """Encrypt *plain*; *context* binds it to its place, so that it cannot be moved to another."""
        key = self._keys.get(subject)
        if key is None:
            raise KeyError(f"no key for {subject}")
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())

    def decrypt(self, subject: str, context: str, data: bytes) -> bytes | None:
        """Decrypt *data*; None where the subject's key is destroyed. Raises ValueError on altered data."""
        key = self._keys.get(subject)
        if key is None:
            return None
        try:
            return AESGCM(key).decrypt(data[:_NONCE_SIZE], data[_NONCE_SIZE:], context.encode())
        except InvalidTag as error:
            raise ValueError(f"personal data of {context} does not fit its key: it was altered") from error
