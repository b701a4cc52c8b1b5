"""The errors that end a command with a sentence."""

from codepark.data_directory import DataDirectoryError
from codepark.history_import.source import HistoryError, ImportFailedError
from commands.environment import SettingsError
from commands.log import LogCorruptError, LogUnavailableError
from domain.errors import Refusal
from projections.store import StoreUnavailableError
from streams.batch_projection import PoisonError


class CommandError(Exception):
    """A command of the command line that cannot be carried out; the message is the sentence."""


FAILURES = (
    CommandError,
    DataDirectoryError,
    HistoryError,
    ImportFailedError,
    LogCorruptError,
    LogUnavailableError,
    PoisonError,
    Refusal,
    SettingsError,
    StoreUnavailableError,
)


def sentence(error: Exception) -> str:
    """Return the sentence that a person reads."""
    return error.message if isinstance(error, Refusal) else str(error)
