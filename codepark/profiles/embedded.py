"""The embedded profile: everything in one process over one data directory."""

from contextlib import ExitStack
from pathlib import Path

import structlog

from codepark.data_directory import DataDirectory
from codepark.profiles.embedded_maintenance import EmbeddedMaintenance, MasterKeys
from codepark.profiles.own_keys import own_keys
from codepark.profiles.profile import Profile
from codepark.read_model_state import misfit, remove_read_models, stored_checkpoints
from codepark.settings import Settings
from codepark.wal_checkpointer import WalCheckpointer
from commands.bus import CommandBus
from commands.keys import PersonalCipher
from commands.mapper import EventMapper
from commands.partitions import Logs
from commands.sqlite.key_check import save_key_check
from commands.sqlite.keys import SQLiteKeyStore
from commands.sqlite.log import SQLiteEventLog
from projections.models import READ_MODELS
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import StoreUnavailableError
from streams.runner import Runner

logger = structlog.get_logger(__name__)


class EmbeddedProfile(Profile):
    """The log, the keys and the read models in SQLite, and the runners that project in this process."""

    def __init__(self, settings: Settings) -> None:
        """Hold the data directory and open what is in it.

        Raises DataDirectoryError, also where the log was written with another secret key,
        LogUnavailableError, LogCorruptError, StoreUnavailableError.
        """
        with ExitStack() as opened:
            directory = DataDirectory(settings.data).hold()
            opened.callback(directory.release)
            directory.require_log_of_read_models()
            secrets, kms = own_keys(settings, directory, held=True)
            directory.require_keys_of_people()
            directory.make_files(directory.log, directory.keys, directory.read_models, directory.past)
            keys = SQLiteKeyStore(directory.keys, kms)
            opened.callback(keys.close)
            self.log = SQLiteEventLog(directory.log, EventMapper(PersonalCipher(keys)))
            opened.callback(self.log.close)
            save_key_check(directory.log, secrets)
            _drop_misfits(directory.read_models, self.log)
            documents = SQLiteDocumentStore(directory.read_models)
            opened.callback(documents.close)
            logs = Logs([self.log])
            super().__init__(settings, directory, secrets=secrets, keys=keys, logs=logs, store=documents)
            opened.callback(self.past.close)
            documents.prepare(self.models)
            self._open_commands(opened)
            master_keys = MasterKeys(keys, kms, directory.master_keys, own_file=bool(settings.master_keys))
            self.maintenance = EmbeddedMaintenance(self.log, documents, self.runners, master_keys)
            self.scrubs = (documents.scrub,)
            self._opened = opened.pop_all()

    def _open_commands(self, opened: ExitStack) -> None:
        """Open the bus, the runners that project what it appends, and what keeps the journals short."""
        opened.callback(WalCheckpointer([self.directory.log, self.directory.read_models]).close)
        self.runners = (
            Runner(
                self.log,
                self.store,
                READ_MODELS,
                self.progress,
                before_step=self._note_files,
                touched=self._forget_changed,
                inline=True,
            ),
            Runner(self.log, self.store, self.models[-1:], self.progress, touched=self._forget_changed),
        )
        opened.callback(self._end_runners)
        self.bus = CommandBus(self.log)
        opened.callback(self.bus.close)
        self._start_sequences = self.logs.tip().sequences

    def start(self) -> None:
        """Start the runners."""
        self._note_unmeasured()
        for runner in self.runners:
            runner.start()

    def not_ready(self) -> list[str]:
        """Name the models that do not include the end that the log had when it was opened."""
        return self._models_before(self._start_sequences)

    def _end_runners(self) -> None:
        for runner in self.runners:
            runner.stop()
        self.analyser.close()  # interrupts a measurement: the next start projects its events
        for runner in self.runners:
            runner.close()


def _drop_misfits(path: Path, log: SQLiteEventLog) -> None:
    """Remove read models that were not made from *log*: they would answer from events it does not have."""
    try:
        reason = misfit(stored_checkpoints(path), log)
    except StoreUnavailableError:  # the file of an older release, or a damaged one: opening it tells
        return
    if reason is not None:
        logger.warning("the read models do not fit the log, building them again", reason=reason)
        remove_read_models(path)
