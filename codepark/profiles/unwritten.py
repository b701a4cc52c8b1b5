"""An embedded installation that is only read: for the commands that look, also on a read-only medium."""

from contextlib import ExitStack

from codepark.data_directory import DataDirectory, DirectoryHeldError
from codepark.profiles.own_keys import own_keys
from codepark.read_model_state import misfit, stored_checkpoints, stored_dead_letters
from codepark.settings import Settings
from commands.keys import PersonalCipher
from commands.mapper import EventMapper
from commands.partitions import Logs
from commands.sqlite.unwritten_keys import UnwrittenKeys
from commands.sqlite.unwritten_log import UnwrittenLog
from projections.store import Checkpoint, DeadLetter


def open_unwritten(settings: Settings) -> "UnwrittenInstallation":
    """Open the directory of *settings* to look, also while another process holds it; raises as the class."""
    try:
        return UnwrittenInstallation(settings)
    except DirectoryHeldError:
        return UnwrittenInstallation(settings, live=True)


class UnwrittenInstallation:
    """The log and what the files say of the read models. Nothing is made, and nothing is changed."""

    def __init__(self, settings: Settings, *, live: bool = False) -> None:
        """Open the directory of *settings*; *live* reads while another process holds it.

        Raises NoDataDirectoryError, DirectoryHeldError, DataDirectoryError where the secret key is missing or
        another one, LogUnavailableError, LogCorruptError.
        """
        self._directory = DataDirectory(settings.data)
        self._live = live
        with ExitStack() as opened:
            self._directory.require_log()
            if not live:
                opened.enter_context(self._directory.reading())
            self.secrets, kms = own_keys(settings, self._directory, held=not live)
            keys = UnwrittenKeys(self._directory.keys, kms, live=live)
            opened.callback(keys.close)
            self.log = UnwrittenLog(self._directory.log, EventMapper(PersonalCipher(keys)), live=live)
            opened.callback(self.log.close)
            self.logs = Logs([self.log])
            self._opened = opened.pop_all()

    def dead_letters(self, model: str | None) -> list[DeadLetter]:
        """Return the dead letters of *model*, of every model with None."""
        return stored_dead_letters(self._directory.read_models, model, live=self._live)

    def included_by_model(self) -> dict[str, int]:
        """Return how many events each read model includes."""
        return {name: checkpoint.sequence for name, checkpoint in self._checkpoints().items()}

    def misfit(self) -> str | None:
        """Return why the read models were not made from the log, None where they may have been."""
        checkpoints = self._checkpoints()
        self.log.look_again()  # after the checkpoints, which another process may move meanwhile
        return misfit(checkpoints, self.log)

    def _checkpoints(self) -> dict[str, Checkpoint]:
        return stored_checkpoints(self._directory.read_models, live=self._live)

    def close(self) -> None:
        """Close the files, and let others hold the directory."""
        self._opened.close()
