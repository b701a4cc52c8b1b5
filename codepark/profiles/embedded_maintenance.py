"""Maintenance of the embedded profile: this process has the log, the read models and the keys to itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codepark.profiles.maintenance import Advanced
from commands.keys import KeyStore
from commands.kms import LocalKms, new_master_key, read_master_keys, write_master_keys
from commands.log import EventLog
from projections.model import ReadModel
from projections.store import DocumentStore
from streams.dead_letters import retry
from streams.rebuild import rebuild
from streams.runner import Runner


class EmbeddedMaintenance:
    """Rebuild and retry while the runners of this process pause."""

    def __init__(
        self, log: EventLog, store: DocumentStore, runners: Sequence[Runner], master_keys: "MasterKeys"
    ) -> None:
        """Work on *store*, which *runners* keep up to *log*."""
        self._log = log
        self._store = store
        self._runners = runners
        self._master_keys = master_keys

    def rebuild(self, model: ReadModel, advanced: Advanced | None) -> int:
        """Build *model* again next to the live one, switch to it, and return how many events it includes."""
        runner = next(runner for runner in self._runners if model in runner.models)
        return rebuild(self._log, self._store, model, runner, progress=advanced)

    def retry_dead_letters(self) -> dict[str, Any]:
        """Retry every dead letter in the order of its stream."""
        return dict(retry(self._log, self._store, self._runners))

    def rotate_master_key(self) -> dict[str, int]:
        """Re-wrap the keys of people with a new master key, or with the newest of the operator's own file."""
        return self._master_keys.rotate()


class MasterKeys:
    """The master keys of the embedded profile: in the data directory, or in the operator's own file."""

    def __init__(self, keys: KeyStore, kms: LocalKms, file: Path, *, own_file: bool) -> None:
        """Re-wrap *keys* by *kms*; with *own_file*, the operator makes the master keys."""
        self._keys = keys
        self._kms = kms
        self._file = file
        self._own_file = own_file

    def rotate(self) -> dict[str, int]:
        """Return the `version` that wraps from now on, and how many keys were `wrapped` by it."""
        if self._own_file:
            return {"version": self._kms.version, "wrapped": self._keys.rewrap()}
        return self._replace()

    def _replace(self) -> dict[str, int]:
        """Make a new master key, re-wrap the keys of people with it, and destroy the ones before it.

        The new one is in its file before it wraps a key, and an old one stays there until it wraps none.
        """
        version = self._kms.version + 1
        earlier = read_master_keys(self._file) if self._file.exists() else {}
        key = new_master_key()
        write_master_keys(self._file, {**earlier, version: key})
        self._kms.add(version, key)
        wrapped = self._keys.rewrap()
        wrapped += self._keys.rewrap()  # the keys that another thread was wrapping meanwhile
        write_master_keys(self._file, {version: key})
        for old in earlier:
            self._kms.remove(old)
        return {"version": version, "wrapped": wrapped}
