"""What may go wrong with a command of the command line, each with a sentence."""

from codepark.data_directory import DataDirectoryError
from codepark.history_import.source import HistoryError, ImportFailedError
from commands.environment import SettingsError
from commands.log import LogCorruptError, LogUnavailableError
from domain.errors import Refusal
from projections.store import StoreUnavailableError
from streams.batch_projection import PoisonError


class CommandError(Exception):
    """A command of the command line that cannot be carried out."""


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
    """Return what to tell the person."""
    return error.message if isinstance(error, Refusal) else str(error)
