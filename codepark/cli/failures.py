"""The errors that end a command with a sentence, and the status that it ends with."""

import os
import tempfile
import traceback
from collections.abc import Iterator

from codepark.cli.main import FAILURE, USAGE
from codepark.data_directory import DataDirectoryError
from codepark.history_import.source import HistoryError, ImportFailedError
from commands.environment import SettingsError
from commands.key_check import InstallationError
from commands.kms import KmsError
from commands.log import LogCorruptError, LogUnavailableError
from domain.errors import InvalidError, Refusal
from projections.store import StoreUnavailableError
from streams.batch_projection import PoisonError

_EXTRAS = {
    **dict.fromkeys(("bson", "pymongo", "gridfs", "aiokafka", "faust", "mode"), "cluster"),
    **dict.fromkeys(("graphql", "graphene", "graphene_federation", "aiodataloader"), "graphql"),
}
"""The extra of CodePark that installs a package."""


class CommandError(Exception):
    """A command of the command line that cannot be carried out; the message is the sentence."""


class UsageError(CommandError):
    """An argument that a command cannot use."""


FAILURES = (
    CommandError,
    DataDirectoryError,
    HistoryError,
    ImportFailedError,
    InstallationError,
    KmsError,
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


def explain(error: Exception) -> tuple[str, int]:
    """Return what a person reads about *error*, and the status that the command ends with."""
    if isinstance(error, FAILURES):
        return sentence(error), USAGE if isinstance(error, UsageError | InvalidError) else FAILURE
    for cause in _causes(error):
        extra = _EXTRAS.get((cause.name or "").partition(".")[0]) if isinstance(cause, ImportError) else None
        if extra is not None:
            return f"this needs the extra `{extra}`: install it with pip install 'codepark[{extra}]'", FAILURE
    return (
        f"something unexpected happened ({_short(error)}); the details are in {_written_details(error)}",
        FAILURE,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and what led to it."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


def _short(error: Exception) -> str:
    """Return the kind of *error* with the first line of its text."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def _written_details(error: Exception) -> str:
    """Write the traceback to a file for its owner alone, and return its path."""
    try:
        descriptor, path = tempfile.mkstemp(prefix="codepark-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError as reason:
        return f"no file ({reason.strerror})"
    return path
