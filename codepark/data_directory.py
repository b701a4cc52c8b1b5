"""The data directory: the process that holds it, the secret key in it, and where its server answers."""

import base64
import fcntl
import os
from pathlib import Path
from typing import Self

import msgspec

from commands.kms import KmsError, LocalKms, read_master_keys
from commands.secrets import SECRET_SIZE, SecretError, Secrets


class DataDirectoryError(Exception):
    """The data directory cannot be used."""


class DirectoryHeldError(DataDirectoryError):
    """Another process holds the data directory."""


class ServerInfo(msgspec.Struct, frozen=True):
    """Where the process that holds the directory answers."""

    pid: int
    url: str
    redis_url: str | None = None
    certificate: str | None = None


class DataDirectory:
    """A directory that one process at a time holds; the lock ends with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        """Use the directory at *path*; nothing is made before `hold`."""
        self.path = path
        self._lock: int | None = None

    @property
    def log(self) -> Path:
        """Return the path of the event log."""
        return self.path / "log.sqlite"

    @property
    def keys(self) -> Path:
        """Return the path of the key store."""
        return self.path / "keys.sqlite"

    @property
    def master_keys(self) -> Path:
        """Return the path of the later master keys; there is no such file before the first rotation."""
        return self.path / "master.keys"

    @property
    def read_models(self) -> Path:
        """Return the path of the read models."""
        return self.path / "read.sqlite"

    @property
    def past(self) -> Path:
        """Return the path of the index of the past."""
        return self.path / "past.sqlite"

    @property
    def secret_key(self) -> Path:
        """Return the path of the secret key."""
        return self.path / "secret.key"

    def kms(self, secrets: Secrets) -> LocalKms:
        """Return what wraps the keys of people; raises DataDirectoryError where the file cannot be used."""
        try:
            later = read_master_keys(self.master_keys) if self.master_keys.exists() else {}
        except (OSError, KmsError, UnicodeDecodeError) as error:
            raise DataDirectoryError(f"{self.master_keys} cannot be used: {error}") from error
        return LocalKms(secrets.master_key, later)

    def hold(self) -> Self:
        """Make the directory and lock it; raises DirectoryHeldError, a DataDirectoryError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataDirectoryError(
                f"the data directory {self.path} cannot be used: {error.strerror}"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode() or "?"
            os.close(lock)
            raise DirectoryHeldError(
                f"the data directory {self.path} is held by another process (pid {holder.strip()}): "
                "stop it, or use another directory"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        return self

    def release(self) -> None:
        """Let another process hold the directory."""
        if self._lock is not None:
            (self.path / "server.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def secrets(self) -> Secrets:
        """Return the keys derived from the directory's secret key, which is made at the first use."""
        path = self.secret_key
        try:
            if not path.exists():
                self.path.mkdir(parents=True, exist_ok=True)
                _make_secret(path)
            return Secrets.from_base64(path.read_text(encoding="ascii"))
        except SecretError as error:
            raise DataDirectoryError(f"{path} is damaged: {error}") from error
        except OSError as error:
            raise DataDirectoryError(f"{path} cannot be used: {error.strerror}") from error

    def announce(self, url: str, redis_url: str | None = None, certificate: Path | None = None) -> None:
        """Tell the command line where the server answers, its certificate, and where it publishes positions.

        The URL of a Redis may contain its password: only the owner may read the file.
        """
        path = None if certificate is None else str(certificate)
        info = msgspec.json.encode(
            ServerInfo(pid=os.getpid(), url=url, redis_url=redis_url, certificate=path)
        )
        temporary = self.path / "server.json.new"
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_bytes(info)
        temporary.replace(self.path / "server.json")

    def server(self) -> ServerInfo | None:
        """Return where the server of the directory answers, None where none does."""
        try:
            return msgspec.json.decode((self.path / "server.json").read_bytes(), type=ServerInfo)
        except (OSError, msgspec.MsgspecError):
            return None


def _make_secret(path: Path) -> None:
    """Write a new key in one step, for its owner alone: processes that start together must agree on one."""
    temporary = path.with_name(f"secret.key.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, base64.b64encode(os.urandom(SECRET_SIZE)) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
