"""SecantusDB, a server that speaks MongoDB's protocol: no package registry has mongod.

It is a separate program under the GPL: it is started as a process, and never imported.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from devservers.certificates import Certificates
from devservers.errors import MissingError
from devservers.server import Server

if TYPE_CHECKING:
    from pymongo import MongoClient

_PROGRAM = "secantusd-py"
_USER = "codepark"
_CACHE = "256M"


class Mongo(Server):
    """A server with MongoDB's protocol; `CODEPARK_SECANTUSD` names another program, such as that in Rust."""

    kind = "mongo"
    client = "pymongo"

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        attached: bool = True,
        password: str | None = None,
        tls: Certificates | None = None,
        durable: bool = False,
    ) -> None:
        """Take a *password* for SCRAM, certificates for TLS; a *durable* server syncs at each commit."""
        super().__init__(folder, port=port, attached=attached)
        self.password = password
        self.tls = tls
        self.durable = durable

    @property
    def address(self) -> str:
        """The URI, with the password and the authority's certificate where the server has them."""
        return self._uri(self.password)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def answers(self) -> bool:
        """Return whether a ping is answered, and the server is a primary."""
        from pymongo.errors import PyMongoError  # noqa: PLC0415 # the cluster profile's

        try:
            with _client(self.address) as client:
                client.admin.command("ping")
                return client.is_primary
        except PyMongoError:
            return False

    def _prepare(self) -> None:
        (self.folder / "empty.toml").touch()  # without it, the server reads a file in the user's home
        if self.password and not self._data.exists():
            self._add_user()

    def _add_user(self) -> None:
        # A server that asks for a password does not let a client add the first user.
        unprotected = Mongo(self.folder, port=self.port, tls=self.tls)
        with unprotected, _client(unprotected.address) as client:
            client.admin.command("createUser", _USER, pwd=self.password, roles=["root"])

    def _command(self) -> Sequence[str]:
        self._prepare()
        command = [
            _program(),
            "--config",
            str(self.folder / "empty.toml"),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--storage-path",
            str(self._data),
            "--cache-size",
            _CACHE,
        ]
        if self.password:
            command.append("--auth")
        if self.durable:
            command.append("--sync-on-commit")
        if self.tls is not None:
            command += ["--tls-cert-file", str(self.tls.certificate), "--tls-key-file", str(self.tls.key)]
        return command

    def _uri(self, password: str | None) -> str:
        user = f"{_USER}:{quote(password, safe='')}@" if password else ""
        options = [] if password is None else ["authSource=admin"]
        if self.tls is not None:
            options += ["tls=true", f"tlsCAFile={quote(str(self.tls.authority), safe='/')}"]
        return f"mongodb://{user}127.0.0.1:{self.port}/" + (f"?{'&'.join(options)}" if options else "")


def _client(uri: str) -> "MongoClient[dict[str, Any]]":
    from pymongo import MongoClient  # noqa: PLC0415 # as above

    return MongoClient(uri, serverSelectionTimeoutMS=1_000, connectTimeoutMS=1_000, socketTimeoutMS=5_000)


def _program() -> str:
    chosen = os.environ.get("CODEPARK_SECANTUSD")
    if chosen:
        if shutil.which(chosen) is None:
            raise MissingError(f"CODEPARK_SECANTUSD names {chosen!r}, which is not a program")
        return chosen
    in_environment = Path(sys.executable).with_name(_PROGRAM)
    program = str(in_environment) if in_environment.exists() else shutil.which(_PROGRAM)
    if program is None:
        raise MissingError(
            f"MongoDB's protocol is served by {_PROGRAM}, and the package SecantusDB is not installed"
        )
    return program
