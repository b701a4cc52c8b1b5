"""Admit a process to an installation of the cluster profile, before it reads or appends anything."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from codepark.profiles.cluster_connections import ClusterConnections
from codepark.settings import ClusterSettings
from commands.environment import SettingsError
from commands.kafka.installation import join
from commands.key_check import InstallationError
from commands.kms import DERIVED, KmsError

_RETRY_SECONDS = 0.5

Run = Callable[[Coroutine[Any, Any, None]], None]
Waits = Callable[[float], bool]
"""Waits some seconds; returns whether the process ends."""

logger = structlog.get_logger(__name__)


def admit(
    settings: ClusterSettings,
    connections: ClusterConnections,
    ended: Waits,
    *,
    run: Run = asyncio.run,
    make: bool = True,
) -> bool:
    """Join the installation, and try until its servers answer; return False where the process *ended* first.

    Raises InstallationError for another secret key, and for another number of partitions.
    """
    waited = False
    while True:
        try:
            run(
                join(
                    settings.kafka,
                    settings.secret,
                    make=make,
                    before_first=lambda: _require_keys(connections),
                )
            )
        except (InstallationError, SettingsError):
            raise
        except Exception as error:  # noqa: BLE001 # no server, or one that answers oddly: the next try may do
            if ended(0):
                return False
            if not waited:
                logger.warning("installation unavailable, waiting for it", reason=str(error))
            waited = True
            if ended(_RETRY_SECONDS):
                return False
        else:
            return True


def _require_keys(connections: ClusterConnections) -> None:
    """Unwrap a key of a person in an installation from before there was a check value of its secret key."""
    wrapped = connections.keys.one_wrapped(DERIVED)
    try:
        if wrapped is not None:
            connections.kms.unwrap(wrapped)
    except KmsError as error:
        raise InstallationError(
            "the secret key is not the one that the keys of people in MongoDB were wrapped with: "
            "give every process the key that its first one had"
        ) from error
