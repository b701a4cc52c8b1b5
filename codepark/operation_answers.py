"""What a server answers to the command line where an operation fails: the sentence that the command gives."""

from collections.abc import Callable
from typing import Any

from commands.environment import SettingsError
from commands.key_check import InstallationError
from commands.kms import KmsError
from commands.log import LogCorruptError, LogUnavailableError
from projections.store import StoreUnavailableError
from read_api.problems import HttpError, unavailable
from streams.batch_projection import PoisonError

_FAILED = (InstallationError, KmsError, LogCorruptError, PoisonError, SettingsError)


def answered(run: Callable[[dict[str, Any]], dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
    """Carry out an operation for an administrator, who may learn which server or event is at fault.

    Raises HttpError with that sentence, and what the error table lists.
    """
    try:
        return run(arguments)
    except (LogUnavailableError, StoreUnavailableError) as error:
        raise unavailable("operation_unavailable", str(error)) from error
    except _FAILED as error:
        raise HttpError(409, "operation_failed", str(error)) from error
