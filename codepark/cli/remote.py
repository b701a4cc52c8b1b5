"""Carry out an operation on an installation: in its server where one runs, else in this process."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from codepark.cli.failures import CommandError, UsageError
from codepark.data_directory import DataDirectory, DirectoryHeldError
from codepark.operations import OPERATIONS, READING, Readable
from codepark.profiles.opener import open_profile
from codepark.profiles.profile import Profile
from codepark.profiles.unwritten import open_unwritten
from codepark.settings import Settings
from commands.claims import holder_of_email
from commands.secrets import Secrets
from commands.sqlite.key_check import is_used
from commands.sqlite.reader import ReadOnlyLog
from domain.account.events import AccountRegistered, AccountStandingChanged
from domain.actor import SERVICE, Actor
from domain.identifiers import account_stream
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens

if TYPE_CHECKING:
    import httpx

_TIMEOUT_SECONDS = 3_600.0
_BAD_INPUT = 400

Read = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Carries out an operation by its name."""

_TOKEN_SECONDS = 60


def operate(settings: Settings, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Carry out an operation; raises CommandError where the server refuses it, else what it raises itself.

    Nothing is made: raises NoDataDirectoryError where there is no installation.
    """
    if name in READING:
        with reading(settings) as read:
            return read(name, arguments)
    try:
        if settings.kafka is None:
            DataDirectory(settings.data).require_log()
        with opened(settings) as profile:
            return OPERATIONS[name](profile, arguments)
    except DirectoryHeldError:
        return _ask_server(settings, name, arguments)


@contextmanager
def reading(settings: Settings) -> Iterator[Read]:
    """Yield what carries out operations that only look: the installation is opened once for all of them."""
    with ExitStack() as stack:
        try:
            installation = stack.enter_context(readable(settings))
        except DirectoryHeldError:  # by a node, whose replica only that process reads
            yield lambda name, arguments: _ask_server(settings, name, arguments)
        else:
            yield lambda name, arguments: READING[name](installation, arguments)


@contextmanager
def readable(settings: Settings) -> Iterator[Readable]:
    """Open what can be read until the block ends, and write nothing; raises DirectoryHeldError.

    An embedded installation is read while its server runs. A node's replica is a cache: where the
    directory has none, this process makes one for itself alone.
    """
    if settings.kafka is None:
        with closing(open_unwritten(settings)) as installation:
            yield installation
    elif (settings.data / "replica").exists():
        with opened(settings, make=False) as profile:
            yield profile
    else:
        with (
            TemporaryDirectory(prefix="codepark-") as folder,
            opened(replace(settings, data=Path(folder)), make=False) as profile,
        ):
            yield profile


@contextmanager
def opened(settings: Settings, *, make: bool = True) -> Iterator[Profile]:
    """Open the profile until the block ends, ready for commands; raises DirectoryHeldError.

    A log that does not exist is made, unless *make* is false.
    """
    profile = open_profile(settings)
    profile.makes_log = make
    try:
        profile.start_for_commands()
        yield profile
    finally:
        profile.close()


def ask_running(settings: Settings, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Carry out an operation in the server that runs, or in one of several that share a port.

    Raises CommandError where none runs.
    """
    folders = [settings.data, *sorted(settings.data.glob("worker-*"))]
    running = [folder for folder in folders if DataDirectory(folder).server() is not None]
    if not running:
        raise CommandError(f"no server runs over {DataDirectory(settings.data).shown}")
    return _ask_server(replace(settings, data=running[0]), name, arguments)


def _ask_server(settings: Settings, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 # only where a server carries out the operation

    directory = DataDirectory(settings.data)
    server = directory.server()
    if server is None:
        raise CommandError("another process holds the data directory, and no server answers: stop it first")
    secrets = settings.secret or directory.existing_secrets()
    token = _token(secrets, int(time.monotonic() // _TOKEN_SECONDS))
    body = {"arguments": {key: value for key, value in arguments.items() if not callable(value)}}
    try:
        answer = httpx.post(
            f"{server.url}/internal/{name}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_SECONDS,
            verify=True if server.certificate is None else _pinned(server.certificate),
        )
    except httpx.TransportError as error:
        raise CommandError(f"the server at {server.url} does not answer: {error}") from error
    if not answer.is_success:
        raise _refused(answer)
    result: dict[str, Any] = answer.json()
    return result


@lru_cache(maxsize=1)
def _token(secrets: Secrets, _period: int) -> str:
    """Return a token of the operator for some requests: a server records the first use of each."""
    return Tokens(SigningKeys(secrets)).issue_access(
        SERVICE.id, SERVICE.roles, tier=SERVICE.tier, seconds=2 * _TOKEN_SECONDS, operator=True
    )


def _refused(answer: "httpx.Response") -> CommandError:
    """Return the server's refusal; an argument that it cannot use is wrong usage."""
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"the server answered {answer.status_code}"
    return UsageError(detail) if answer.status_code == _BAD_INPUT else CommandError(detail)


def _pinned(certificate: str) -> ssl.SSLContext:
    """Trust exactly this certificate, for any host name: it is that of the server on this machine."""
    try:
        context = ssl.create_default_context(cafile=certificate)
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"the server's certificate {certificate} cannot be read: {error}") from error
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def keys_and_account(settings: Settings, email: str | None) -> tuple[Secrets, Actor | None]:
    """Return the keys of an installation, and the account with that address; a server may run.

    Raises NoDataDirectoryError, DataDirectoryError.
    """
    if settings.kafka is not None:
        return settings.cluster().secret, None
    directory = DataDirectory(settings.data)
    if settings.secret is None and directory.secret_key.exists() and not is_used(directory.log):
        return directory.existing_secrets(), None  # the installation has a key, and no event yet
    with closing(open_unwritten(settings)) as installation:
        account = None if email is None else _account_of(installation.log, installation.secrets, email)
        return installation.secrets, account


def _account_of(log: ReadOnlyLog, secrets: Secrets, email: str) -> Actor | None:
    account_id = holder_of_email(log, secrets, email)
    if account_id is None:
        return None
    roles = [
        stored.event.roles
        for stored in log.stream_events(account_stream(account_id))
        if isinstance(stored.event, AccountRegistered | AccountStandingChanged)
    ]
    return Actor(id=account_id, roles=frozenset(roles[-1]))
