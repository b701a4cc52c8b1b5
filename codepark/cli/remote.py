"""Carry out an operation on an installation: in its server where one runs, else in this process."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from codepark.cli.failures import CommandError
from codepark.data_directory import DataDirectory, DirectoryHeldError
from codepark.operations import OPERATIONS
from codepark.profiles.opener import open_profile
from codepark.profiles.profile import Profile
from codepark.settings import Settings
from commands.claims import holder_of_email
from commands.keys import PersonalCipher
from commands.mapper import EventMapper
from commands.secrets import Secrets
from commands.sqlite.keys import SQLiteKeyStore
from commands.sqlite.reader import ReadOnlyLog
from domain.account.events import AccountRegistered, AccountStandingChanged
from domain.actor import SERVICE, Actor
from domain.identifiers import account_stream
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens

_TIMEOUT_SECONDS = 3_600.0


def operate(settings: Settings, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Carry out an operation; raises CommandError where the server refuses it, else what it raises itself."""
    try:
        with opened(settings) as profile:
            return OPERATIONS[name](profile, arguments)
    except DirectoryHeldError:
        return _ask_server(settings, name, arguments)


@contextmanager
def opened(settings: Settings) -> Iterator[Profile]:
    """Open the profile until the block ends, ready for commands; raises DirectoryHeldError."""
    profile = open_profile(settings)
    try:
        profile.start_for_commands()
        yield profile
    finally:
        profile.close()


def _ask_server(settings: Settings, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 # only where a server carries out the operation

    directory = DataDirectory(settings.data)
    server = directory.server()
    if server is None:
        raise CommandError("another process holds the data directory, and no server answers: stop it first")
    secrets = settings.secret or directory.secrets()
    token = Tokens(SigningKeys(secrets)).issue_access(
        SERVICE.id, SERVICE.roles, tier=SERVICE.tier, seconds=60, operator=True
    )
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
        raise CommandError(str(answer.json().get("detail", answer.text)))
    result: dict[str, Any] = answer.json()
    return result


def _pinned(certificate: str) -> ssl.SSLContext:
    """Trust exactly this certificate, for any host name: it is that of the server on this machine."""
    try:
        context = ssl.create_default_context(cafile=certificate)
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"the server's certificate {certificate} cannot be read: {error}") from error
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def account_of(settings: Settings, secrets: Secrets, email: str) -> Actor | None:
    """Return the account with that address, read from the log even while a server writes it."""
    directory = DataDirectory(settings.data)
    if not directory.log.exists():
        return None
    keys = SQLiteKeyStore(directory.keys, directory.kms(secrets))
    log = ReadOnlyLog(directory.log, EventMapper(PersonalCipher(keys)))
    try:
        account_id = holder_of_email(log, secrets, email)
        if account_id is None:
            return None
        roles = [
            stored.event.roles
            for stored in log.stream_events(account_stream(account_id))
            if isinstance(stored.event, AccountRegistered | AccountStandingChanged)
        ]
        return Actor(id=account_id, roles=frozenset(roles[-1]))
    finally:
        log.close()
        keys.close()
