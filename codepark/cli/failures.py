"""The errors that end a command with a sentence, and the status that it ends with."""

import os
import tempfile
import traceback
from collections.abc import Iterator
from typing import Any

from cyclopts import Argument, CoercionError, CycloptsError, MissingArgumentError, Token
from cyclopts.exceptions import UnusedCliTokensError

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
    "opentelemetry": "telemetry",
    **dict.fromkeys(("graphql", "graphene", "graphene_federation", "aiodataloader"), "graphql"),
    "sentry_sdk": "telemetry",
}
"""The extra of CodePark that installs a package."""


_TAKES: dict[Any, str] = {int: "a whole number", bool: "true or false"}
"""What an argument of a type takes."""


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


def usage_sentence(error: CycloptsError) -> str:
    """Return what a person reads about arguments that cannot be read."""
    error.verbose = False
    match error:
        case UnusedCliTokensError(unused_tokens=[*tokens]):
            return f"there is no argument {' '.join(tokens)!r} here: see {_help(error)}"
        case CoercionError(token=Token(value=value), argument=argument, target_type=wanted) if (
            wanted in _TAKES
        ):
            return f"{_shown(argument)} is {value}; it takes {_TAKES[wanted]}"
        case MissingArgumentError(argument=argument, keyword=None) if argument is not None:
            return f"{_command(error)} needs {_shown(argument)}: see {_help(error)}"
        case MissingArgumentError(keyword=keyword):
            return f"{keyword} needs a value: see {_help(error)}"
    return str(error)


def _command(error: CycloptsError) -> str:
    return f"`{' '.join(('codepark', *(error.command_chain or ())))}`"


def _help(error: CycloptsError) -> str:
    return f"{_command(error)[:-1]} --help`"


def _shown(argument: Argument | None) -> str:
    """Return the name of an argument as `--help` writes it: `--port`, `COUNT`."""
    if argument is None:
        return "an argument"
    by_place = argument.field_info.is_positional
    return argument.name.lstrip("-").upper() if by_place else argument.name


def sentence(error: Exception) -> str:
    """Return the sentence that a person reads."""
    return error.message if isinstance(error, Refusal) else str(error)


def explain(error: Exception) -> tuple[str, int]:
    """Return what a person reads about *error*, and the status that the command ends with."""
    if isinstance(error, CycloptsError):
        return usage_sentence(error), USAGE
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
