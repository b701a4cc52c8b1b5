"""The key management service: it wraps the keys of people with master keys that never leave it."""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

MASTER_KEY_SIZE = 32
DERIVED = 1
"""The version of the master key that is derived from the installation's secret."""

_BARE_SIZE = 40
_VERSION_SIZE = 4


class KmsError(Exception):
    """A key cannot be wrapped or unwrapped: this process does not have the master key."""


class Kms(Protocol):
    """Wraps and unwraps keys. Its methods may be called from any thread."""

    @property
    def version(self) -> int:
        """Return the version of the master key that wraps now."""
        ...

    def wrap(self, key: bytes) -> bytes:
        """Return *key*, wrapped by the newest master key; raises KmsError."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key; raises KmsError where the master key that wrapped it is missing."""
        ...

    def version_of(self, wrapped: bytes) -> int:
        """Return the version of the master key that wrapped this."""
        ...


class LocalKms:
    """Master keys in memory: the one derived from the secret, and later ones (AES key wrap, RFC 3394).

    A key wrapped by the derived one has 40 bytes; all others begin with the master key's version (u32,
    big-endian).
    """

    def __init__(self, derived: bytes, later: Mapping[int, bytes] | None = None) -> None:
        """Wrap with the newest of *later*, by version, or with *derived* where there are none."""
        self._keys = {DERIVED: derived, **(later or {})}

    @property
    def version(self) -> int:
        """Return the version of the master key that wraps now."""
        return max(self._keys)

    def wrap(self, key: bytes) -> bytes:
        """Return *key*, wrapped by the newest master key."""
        version = self.version
        wrapped = aes_key_wrap(self._keys[version], key)
        return wrapped if version == DERIVED else version.to_bytes(_VERSION_SIZE, "big") + wrapped

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key; raises KmsError."""
        version = self.version_of(wrapped)
        master = self._keys.get(version)
        if master is None:
            raise KmsError(
                f"version {version} of the master key is missing, and a person's key is wrapped with it"
            )
        try:
            return aes_key_unwrap(master, wrapped[-_BARE_SIZE:])
        except InvalidUnwrap as error:
            raise KmsError(
                f"version {version} of the master key cannot unwrap a person's key: another key wrapped it"
            ) from error

    def version_of(self, wrapped: bytes) -> int:
        """Return the version of the master key that wrapped this."""
        return DERIVED if len(wrapped) == _BARE_SIZE else int.from_bytes(wrapped[:_VERSION_SIZE], "big")

    def add(self, version: int, key: bytes) -> None:
        """Add a master key; the newest one wraps from now on."""
        self._keys[version] = key

    def remove(self, version: int) -> None:
        """Remove a master key: the keys that it wrapped are lost."""
        del self._keys[version]


def new_master_key() -> bytes:
    """Return a new random master key."""
    return os.urandom(MASTER_KEY_SIZE)


def read_master_keys(path: Path) -> dict[int, bytes]:
    """Read a file of master keys by version. A line has the version, from 2, a space, and the key in base64.

    Raises KmsError, which names the line, and OSError.
    """
    keys: dict[int, bytes] = {}
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        version, _, text = line.strip().partition(" ")
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except binascii.Error as error:
            raise KmsError(
                f"line {number} of {path} is not a version, a space and a key in base64"
            ) from error
        if not version.isdecimal() or int(version) <= DERIVED or len(key) != MASTER_KEY_SIZE:
            raise KmsError(
                f"line {number} of {path} needs a version from {DERIVED + 1}"
                f" and {MASTER_KEY_SIZE} bytes in base64"
            )
        keys[int(version)] = key
    return keys


def write_master_keys(path: Path, keys: Mapping[int, bytes]) -> None:
    """Replace the file as a whole and durably, readable by its owner alone; raises OSError."""
    lines = [f"{version} {base64.b64encode(key).decode()}\n" for version, key in sorted(keys.items())]
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, "".join(lines).encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the file's name is durable before a key is wrapped with what it holds
    finally:
        os.close(folder)
