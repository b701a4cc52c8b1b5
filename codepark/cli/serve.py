"""`codepark serve` and `codepark token`."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
from cyclopts import Parameter
from msgspec.structs import replace

from codepark import logs
from codepark.cli.demo import import_demo
from codepark.cli.failures import UsageError
from codepark.cli.greeting import greet
from codepark.cli.options import Data
from codepark.log_level import LOG_LEVEL, shared_level
from codepark.port import require_free
from codepark.server_processes import ServerProcesses
from codepark.settings import Settings, read_settings
from commands.environment import PORTS
from domain.actor import SERVICE, Role, Tier
from domain.errors import NotFoundError

TOKEN_SECONDS = 24 * 60 * 60


def serve(
    *,
    port: int | None = None,
    data: Data = None,
    demo: bool = False,
    workers: int = 1,
    processes: Annotated[Path | None, Parameter(show=False)] = None,
) -> None:
    """Serve the API, the pages and the live channels.

    Parameters
    ----------
    port
        The port to listen on (default: 3000).
    demo
        Import this checkout's git history, or a small sample, as a first public project.
    workers
        How many processes share the port (cluster profile); each has a folder of its own in the data
        directory.
    processes
        This process is one of several on the port, which find each other in this folder.
    """
    if port is not None and port not in PORTS:
        raise UsageError(f"--port is {port}; it takes a number from {PORTS[0]} to {PORTS[-1]}")
    settings = read_settings(os.environ, data=data, port=port)
    logs.configure(settings.log_level)
    if workers < 1:
        raise UsageError(f"--workers is {workers}; it takes a number from 1")
    if processes is not None:
        settings = replace(settings, processes=processes)
        LOG_LEVEL.set(shared_level(processes) or settings.log_level)
    else:
        require_free(settings.host, settings.port, "another with --port, or another CODEPARK_HOST")
    _require_node_address(settings, workers)
    if workers > 1:
        sys.exit(ServerProcesses(settings, workers).serve())
    from codepark.server import serve as serve_forever  # noqa: PLC0415 # the other commands start without it

    serve_forever(settings, import_demo if demo else None, partial(greet, settings, demo=demo))
    structlog.get_logger(__name__).info("stopped")


def _require_node_address(settings: Settings, workers: int) -> None:
    """Refuse addresses for other nodes that this machine does not have, or that a process listens on."""
    for number in range(workers):
        address = settings.node_listener(number)
        if address is not None:
            require_free(*address, "another CODEPARK_NODE_ADDRESS, one of this machine")


def token(
    *,
    role: Role | None = None,
    account: str | None = None,
    by: str | None = None,
    tier: Tier = Tier.ENTERPRISE,
    data: Data = None,
) -> None:
    """Print an access token for 24 hours; it works while a server runs, and without one.

    Events name the account as their actor, and who acts for it in `operatedBy`. A server records the first
    use of the token as an event. `codepark keys rotate-signing` ends all tokens of this command.

    Parameters
    ----------
    role
        The role that it gives (default: that of a service, which may do everything; of an account, its own).
    account
        The e-mail address of the account that it acts for (default: the principal `service:cli`).
    by
        The e-mail address of the account whose owner uses the token for the other one (default:
        `service:cli`).
    tier
        The tier that it counts as.
    """
    from codepark.cli.remote import keys_and_account  # noqa: PLC0415 # the server starts without it
    from read_api.auth.keys import SigningKeys  # noqa: PLC0415 # as above
    from read_api.auth.tokens import Tokens  # noqa: PLC0415 # as above

    settings = read_settings(os.environ, data=data)
    secrets, actor = keys_and_account(settings, account)
    subject, roles = SERVICE.id, SERVICE.roles
    operator = None
    if by is not None:
        _, user = keys_and_account(settings, by)
        if user is None:
            raise _nobody(by)
        operator = user.id
    if account is not None:
        if actor is None:
            raise _nobody(account)
        subject, roles, operator = actor.id, actor.roles, operator or SERVICE.id
    if role is not None:
        roles = frozenset({role})
    access = Tokens(SigningKeys(secrets)).issue_access(
        subject,
        roles,
        email=account,
        tier=tier,
        seconds=TOKEN_SECONDS,
        operator=True,
        operated_by=operator,
    )
    print(access)  # noqa: T201 # its result


def _nobody(email: str) -> NotFoundError:
    return NotFoundError(f"there is no account with the address {email}", code="account_not_found")
