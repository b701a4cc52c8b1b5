"""Whether a process has the secret key that an installation was made with, without keeping the key."""

import hmac

from commands.secrets import Secrets


class KeyCheckError(Exception):
    """This process has another secret key than its installation."""


class InstallationError(Exception):
    """This process does not belong to the installation that its settings name; the message says why."""


def key_check(secrets: Secrets, log_id: str) -> str:
    """Return the check value of a secret key for the log *log_id*: a keyed hash, which reveals nothing."""
    return secrets.keyed_hash("key-check", log_id)


def is_key_of(secrets: Secrets, log_id: str, stored: str) -> bool:
    """Return whether *stored* was made from the same secret key for the same log."""
    return hmac.compare_digest(key_check(secrets, log_id), stored)
