"""The key management service: who wraps the keys of people. What it wraps with never leaves it."""

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
    """A key cannot be wrapped or unwrapped: the master key that it needs is not here."""


class Kms(Protocol):
    """Wraps and unwraps keys. Callable from any thread."""

    @property
    def version(self) -> int:
        """Return the version of the master key that wraps now."""
        ...

    def wrap(self, key: bytes) -> bytes:
        """Return *key*, wrapped by the newest master key; raises KmsError."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key; raises KmsError where the master key that wrapped it is not here any more."""
        ...

    def version_of(self, wrapped: bytes) -> int:
        """Return the version of the master key that wrapped this."""
        ...


class LocalKms:
    """Master keys in this process's memory (AES key wrap, RFC 3394): the one derived from the secret, and later ones.

    What the derived one wraps is bare, 40 bytes; the rest begins with the version (u32, big-endian).
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
            raise KmsError(f"version {version} of the master key is not here: it wrapped a person's key")
        try:
            return aes_key_unwrap(master, wrapped[-_BARE_SIZE:])
        except InvalidUnwrap as error:
            raise KmsError(
                f"version {version} of the master key did not wrap this: it is another key"
            ) from error

    def version_of(self, wrapped: bytes) -> int:
        """Return the version of the master key that wrapped this."""
        return DERIVED if len(wrapped) == _BARE_SIZE else int.from_bytes(wrapped[:_VERSION_SIZE], "big")

    def add(self, version: int, key: bytes) -> None:
        """Wrap with this master key from now on, where it is the newest."""
        self._keys[version] = key

    def remove(self, version: int) -> None:
        """Forget a master key: what it wrapped is lost."""
        del self._keys[version]


def new_master_key() -> bytes:
    """Draw a master key."""
    return os.urandom(MASTER_KEY_SIZE)


def read_master_keys(path: Path) -> dict[int, bytes]:
    """Read a file of master keys, a line each: the version, from 2, a space, the key in base64.

    Raises KmsError that names the line, and OSError.
    """
    found: dict[int, bytes] = {}
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        version, _, text = line.strip().partition(" ")
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except binascii.Error as error:
            raise KmsError(f"line {number} of {path} is not a version and base64") from error
        if not version.isdecimal() or int(version) <= DERIVED or len(key) != MASTER_KEY_SIZE:
            raise KmsError(
                f"line {number} of {path} needs a version from {DERIVED + 1} and {MASTER_KEY_SIZE} bytes in base64"
            )
        found[int(version)] = key
    return found


def write_master_keys(path: Path, keys: Mapping[int, bytes]) -> None:
    """Write the file anew, as a whole and durably, readable by its owner alone; raises OSError."""
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
        os.fsync(folder)  # the name lasts too, before anything is wrapped with what it names
    finally:
        os.close(folder)
