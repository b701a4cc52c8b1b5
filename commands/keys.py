"""The keys that encrypt personal data, one for each person: destroying a key erases the data everywhere."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import ConflictError

KEY_SIZE = 32
COMMITTED = "1."
"""What an encrypted text that is committed to its key begins with."""

_NONCE_SIZE = 12
_COMMITMENT_USE = b"codepark/key/1"
_COMMITMENT_SIZE = 32


class KeyDestroyedError(ConflictError):
    """The key of an erased person was destroyed for good: no personal data can be written about them."""

    code = "person_erased"


class KeyStore(Protocol):
    """Stores the keys, wrapped by the master key. Its methods may be called from any thread."""

    def get(self, subject: str) -> bytes | None:
        """Return the subject's key; None where it was never created or is destroyed."""
        ...

    def at_hand(self, subject: str) -> bytes | None:
        """Return the subject's key where that takes no request to a server, else None."""
        ...

    def is_destroyed(self, subject: str) -> bool:
        """Return whether the subject's key was destroyed."""
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

    def encrypt(self, subject: str, context: str, plain: bytes) -> str:
        """Encrypt *plain*, to be decrypted in this *context* alone; raises KeyError without a key."""
        key = self._keys.get(subject)
        if key is None:
            raise KeyError(f"no key for {subject}")
        return sealed(key, context, plain, os.urandom(_NONCE_SIZE))

    def encrypt_at_hand(self, subject: str, context: str, plain: bytes) -> str | None:
        """Encrypt *plain* as `encrypt` does; None where the subject's key is not at hand."""
        key = self._keys.at_hand(subject)
        return None if key is None else sealed(key, context, plain, os.urandom(_NONCE_SIZE))

    def is_erased(self, subject: str) -> bool:
        """Return whether the subject was erased."""
        return self._keys.is_destroyed(subject)

    def decrypt(self, subject: str, context: str, text: str) -> bytes | None:
        """Decrypt *text*; None where the subject's key is destroyed. Raises ValueError for altered data."""
        key = self._keys.get(subject)
        return None if key is None else unsealed(key, context, text)


def sealed(key: bytes, context: str, plain: bytes, nonce: bytes) -> str:
    """Return *plain* encrypted with AES-256-GCM, committed to its *key*: `1.` and base64.

    AES-GCM does not bind a ciphertext to its key: somebody who chooses keys can make one that opens to
    different texts. The hash before the nonce lets a single key open it, and tells nothing about the key.
    """
    encrypted = AESGCM(key).encrypt(nonce, plain, context.encode())
    return COMMITTED + base64.b64encode(commitment_to(key) + nonce + encrypted).decode()


def unsealed(key: bytes, context: str, text: str) -> bytes:
    """Return what `sealed` got, also of the form before it, which has no commitment; raises ValueError."""
    committed = is_committed(text)
    try:
        data = base64.b64decode(text.removeprefix(COMMITTED) if committed else text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"personal data of {context} is not base64: it was altered") from error
    if committed:
        if not hmac.compare_digest(data[:_COMMITMENT_SIZE], commitment_to(key)):
            raise ValueError(f"personal data of {context} is committed to another key: it was altered")
        data = data[_COMMITMENT_SIZE:]
    try:
        return AESGCM(key).decrypt(data[:_NONCE_SIZE], data[_NONCE_SIZE:], context.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: it is too short
        raise ValueError(
            f"personal data of {context} cannot be decrypted with its key: it was altered"
        ) from error


def is_committed(text: str) -> bool:
    """Return whether an encrypted text is committed to its key; base64 has no full stop."""
    return text.startswith(COMMITTED)


def commitment_to(key: bytes) -> bytes:
    """Return the commitment to a key: a hash of 256 random bits, which tells nothing about them."""
    return hashlib.sha256(_COMMITMENT_USE + key).digest()
