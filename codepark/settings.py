"""Settings, read once from the environment; a wrong value stops the start with a sentence that names it."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from commands.secrets import SecretError, Secrets


class SettingsError(Exception):
    """A setting that cannot be used."""


class Settings(Struct, frozen=True, kw_only=True):
    """What the process was told. *secret* is None where the data directory holds the key."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 3000
    log_level: str = "info"
    redis_url: str | None = None
    secret: Secrets | None = None

    def __repr__(self) -> str:
        """Show everything but the secret."""
        return f"Settings(data={self.data}, host={self.host}, port={self.port}, log_level={self.log_level})"


_LEVELS = ("debug", "info", "warning", "error")
_PORTS = range(1, 65_536)


def read_settings(
    environment: Mapping[str, str], *, data: Path | None = None, port: int | None = None
) -> Settings:
    """Read the settings; *data* and *port* of the command line come first. Raises SettingsError."""
    _refuse_cluster(environment)
    return Settings(
        data=(data or Path(environment.get("CODEPARK_DATA") or "codepark-data")).absolute(),
        host=environment.get("CODEPARK_HOST") or "127.0.0.1",
        port=_port(environment) if port is None else _checked_port(port, "--port"),
        log_level=_level(environment),
        redis_url=environment.get("CODEPARK_REDIS_URL") or None,
        secret=_secret(environment),
    )


def _refuse_cluster(environment: Mapping[str, str]) -> None:
    for name in ("CODEPARK_KAFKA_BOOTSTRAP_SERVERS", "CODEPARK_MONGODB_URI"):
        if environment.get(name):
            raise SettingsError(f"{name} is set, but this release has the embedded profile only: unset it")


def _port(environment: Mapping[str, str]) -> int:
    text = environment.get("CODEPARK_PORT") or "3000"
    if not text.isdecimal():
        raise SettingsError(f"CODEPARK_PORT is {text!r}; it takes a number from 1 to 65535")
    return _checked_port(int(text), "CODEPARK_PORT")


def _checked_port(port: int, name: str) -> int:
    if port not in _PORTS:
        raise SettingsError(f"{name} is {port}; it takes a number from 1 to 65535")
    return port


def _level(environment: Mapping[str, str]) -> str:
    level = (environment.get("CODEPARK_LOG_LEVEL") or "info").lower()
    if level not in _LEVELS:
        raise SettingsError(f"CODEPARK_LOG_LEVEL is {level!r}; it takes one of {', '.join(_LEVELS)}")
    return level


def _secret(environment: Mapping[str, str]) -> Secrets | None:
    value, file = environment.get("CODEPARK_SECRET_KEY"), environment.get("CODEPARK_SECRET_KEY_FILE")
    if value and file:
        raise SettingsError("set CODEPARK_SECRET_KEY or CODEPARK_SECRET_KEY_FILE, not both")
    name = "CODEPARK_SECRET_KEY" if value else "CODEPARK_SECRET_KEY_FILE"
    try:
        if file:
            value = Path(file).read_text(encoding="ascii")
        return Secrets.from_base64(value) if value else None
    except (OSError, UnicodeDecodeError, SecretError) as error:
        raise SettingsError(f"{name} cannot be used: {error}") from error
