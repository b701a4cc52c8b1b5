"""The secret key of an embedded installation, compared with its log before anything is opened."""

from codepark.data_directory import DataDirectory
from codepark.settings import SECRET_KEY, Settings
from commands.kms import LocalKms
from commands.secrets import Secrets


def own_keys(settings: Settings, directory: DataDirectory, *, held: bool) -> tuple[Secrets, LocalKms]:
    """Return the keys of the installation; raises DataDirectoryError where they are missing, or another's.

    A process that holds the directory makes the key of a new installation.
    """
    secrets = settings.secret or (directory.secrets() if held else directory.existing_secrets())
    kms = settings.kms(secrets) if settings.master_keys else directory.kms(secrets)
    named = "secret.key" if settings.secret is None else f"the value of {SECRET_KEY} or {SECRET_KEY}_FILE"
    directory.require_own_key(secrets, kms, held=held, named=named)
    return secrets, kms
