"""The data directory: the process that holds it, the secret key in it, and where its server answers."""

import base64
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from codepark.private_files import FILE_MODE, FOLDER_MODE, tighten
from commands.key_check import KeyCheckError
from commands.kms import KmsError, LocalKms, read_master_keys
from commands.log import LogUnavailableError
from commands.secrets import SECRET_SIZE, SecretError, Secrets
from commands.sqlite.key_check import has_accounts, is_used, require_own_key


class DataDirectoryError(Exception):
    """The data directory cannot be used."""


class NoDataDirectoryError(DataDirectoryError):
    """The folder is no data directory."""


class DirectoryHeldError(DataDirectoryError):
    """Another process holds the data directory."""


class ServerInfo(msgspec.Struct, frozen=True):
    """Where the process that holds the directory answers."""

    pid: int
    url: str
    redis_url: str | None = None
    certificate: str | None = None
    queue_url: str | None = None


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
    def queue(self) -> Path:
        """Return the path of the folder of the job queue."""
        return self.path / "queue"

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

    @property
    def shown(self) -> str:
        """Return the path as text that can be written anywhere, whatever bytes the path has."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")

    def require_log(self) -> None:
        """Raise NoDataDirectoryError unless there is an event log; nothing is made."""
        if not is_used(self.log):
            reason = "has no event log" if self.path.is_dir() else "does not exist"
            raise NoDataDirectoryError(
                f"{self.shown} is no data directory (it {reason}): "
                "name the folder with --data or CODEPARK_DATA"
            )

    def hold(self) -> Self:
        """Make the directory and lock it; raises DirectoryHeldError, a DataDirectoryError.

        The directory and what is in it belong to their owner alone from then on.
        """
        try:
            self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, FILE_MODE)
        except OSError as error:
            raise DataDirectoryError(
                f"the data directory {self.shown} cannot be used: {error.strerror}"
            ) from error
        self._take(lock, fcntl.LOCK_EX)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        tighten(self.path)
        return self

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep other processes from writing the directory until the block ends; nothing is made.

        Raises NoDataDirectoryError, and DirectoryHeldError where a process holds the directory.
        """
        self.require_log()
        try:
            lock = os.open(self.path / "lock", os.O_RDONLY)
        except FileNotFoundError:  # a copy, or a restored backup, that nobody has held yet
            yield
            return
        except OSError as error:
            raise DataDirectoryError(
                f"the data directory {self.shown} cannot be read: {error.strerror}"
            ) from error
        self._take(lock, fcntl.LOCK_SH)
        try:
            yield
        finally:
            os.close(lock)

    def is_held(self) -> bool:
        """Return whether a process holds the directory; nothing is made."""
        try:
            with self.reading():
                return False
        except DirectoryHeldError:
            return True
        except DataDirectoryError:
            return False

    def _take(self, lock: int, kind: int) -> None:
        """Lock *lock*; where another process prevents that, close it and raise DirectoryHeldError."""
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._held(lock) from None

    def _held(self, lock: int) -> DirectoryHeldError:
        """Close *lock*, and return the error that names the process that has it."""
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = f"is held by another process (pid {os.read(lock, 20).decode().strip() or '?'})"
        else:
            holder = "is being read by another command"
        os.close(lock)
        return DirectoryHeldError(
            f"the data directory {self.shown} {holder}: stop it, or use another directory"
        )

    def release(self) -> None:
        """Let another process hold the directory."""
        if self._lock is not None:
            (self.path / "server.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def secrets(self) -> Secrets:
        """Return the keys derived from the directory's secret key, which is made for a new installation."""
        path = self.secret_key
        if is_used(self.log):
            return self.existing_secrets()
        try:
            if not path.exists():
                self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                _make_secret(path)
        except OSError as error:
            raise DataDirectoryError(f"{path} cannot be used: {error.strerror}") from error
        return self.existing_secrets()

    def existing_secrets(self) -> Secrets:
        """Return the keys derived from the directory's secret key; raises DataDirectoryError without one."""
        path = self.secret_key
        try:
            return Secrets.from_base64(path.read_text(encoding="ascii"))
        except (SecretError, UnicodeDecodeError) as error:
            raise DataDirectoryError(f"{path} is damaged: {error}") from error
        except FileNotFoundError as error:
            raise self._keyless() from error
        except OSError as error:
            raise DataDirectoryError(f"{path} cannot be used: {error.strerror}") from error

    def _keyless(self) -> DataDirectoryError:
        if not is_used(self.log):
            return NoDataDirectoryError(
                f"{self.shown} is no data directory (it has no secret key): "
                "name the folder with --data or CODEPARK_DATA"
            )
        return DataDirectoryError(
            f"secret.key is missing in {self.shown}, and the event log there was written with it: "
            "put the file back from its backup, or set CODEPARK_SECRET_KEY"
        )

    def require_own_key(
        self, secrets: Secrets, kms: LocalKms, *, held: bool, named: str = "secret.key"
    ) -> None:
        """Raise DataDirectoryError unless the log was written with these keys; *named* is what holds them.

        Where the caller does not have the directory to itself (*held*), another process may write it.
        """
        try:
            require_own_key(self.log, self.keys, secrets, kms, held=held)
        except KeyCheckError as error:
            raise DataDirectoryError(
                f"{named} is not the secret key that the event log in {self.shown} was written with: "
                "use that key"
            ) from error
        except KmsError as error:
            raise DataDirectoryError(f"the keys of people in {self.shown} cannot be used: {error}") from error
        except LogUnavailableError as error:
            raise DataDirectoryError(f"the data directory {self.shown} cannot be read: {error}") from error

    def require_keys_of_people(self) -> None:
        """Raise DataDirectoryError where the log has accounts and the file of their keys is missing."""
        if not self.keys.exists() and has_accounts(self.log):
            raise DataDirectoryError(
                f"keys.sqlite is missing in {self.shown}, and without it nobody's personal data can be read: "
                "put the file back from its backup; to give these data up for good, make an empty file"
            )

    def require_log_of_read_models(self) -> None:
        """Raise DataDirectoryError where read models are left of a missing log: a new one would lose them."""
        if is_used(self.read_models) and not is_used(self.log):
            raise DataDirectoryError(
                f"log.sqlite is missing in {self.shown}, and the read models there were made from it: put "
                "the file back from its backup; for a new installation, remove read.sqlite"
            )

    def make_files(self, *paths: Path) -> None:
        """Make the files that are missing, for their owner alone, before SQLite makes them for others too."""
        for path in paths:
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
            except OSError as error:
                raise DataDirectoryError(f"{path} cannot be used: {error.strerror}") from error

    def announce(
        self,
        url: str,
        redis_url: str | None = None,
        certificate: Path | None = None,
        queue_url: str | None = None,
    ) -> None:
        """Tell the command line where the server answers, its certificate, its positions and its queue.

        The URL of a Redis may contain its password: only the owner may read the file.
        """
        info = ServerInfo(
            pid=os.getpid(),
            url=url,
            redis_url=redis_url,
            certificate=None if certificate is None else str(certificate),
            queue_url=queue_url,
        )
        temporary = self.path / "server.json.new"
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_bytes(msgspec.json.encode(info))
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
