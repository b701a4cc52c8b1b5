"""Settings, read once from the environment; a wrong value stops the start with a sentence that names it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from codepark.gateway_settings import read_gateway_settings
from codepark.setting_errors import SettingsError
from commands.kafka.settings import (
    BOOTSTRAP,
    DEFAULT_PREFIX,
    KafkaSettings,
    KafkaSettingsError,
    read_kafka_settings,
)
from commands.kms import KmsError, LocalKms, read_master_keys
from commands.secrets import SecretError, Secrets
from read_api.gateway.settings import GatewaySettings
from read_api.graphql.settings import (
    GraphQLSettings,
    GraphQLSettingsError,
    read_graphql_settings,
)

__all__ = ["RedisUrls", "Settings", "SettingsError", "read_settings"]


class RedisUrls(Struct, frozen=True, kw_only=True):
    """The Redis of each use; several may be the same."""

    cache: str
    sessions: str
    queue: str
    pubsub: str


class Settings(Struct, frozen=True, kw_only=True):
    """What the process was told. *secret* is None where the data directory holds the key.

    With *kafka* it is the cluster profile, and *mongodb_uri*, *redis* and *secret* are there. *node_address* is where
    other nodes reach this one with commands (`host:port`); without one it takes none from them.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 3000
    log_level: str = "info"
    redis_url: str | None = None
    secret: Secrets | None = None
    kafka: KafkaSettings | None = None
    mongodb_uri: str | None = None
    mongodb_ca_file: str | None = None
    redis: RedisUrls | None = None
    redis_ca_file: str | None = None
    node_address: str | None = None
    master_keys: Mapping[int, bytes] = {}
    public_url: str | None = None
    smtp_url: str | None = None
    mail_from: str = "CodePark <no-reply@localhost>"
    gateway: GatewaySettings = GatewaySettings()
    graphql: GraphQLSettings = GraphQLSettings()

    def kms(self, secrets: Secrets) -> LocalKms:
        """Return who wraps the keys of people in the cluster profile."""
        return LocalKms(secrets.master_key, self.master_keys)

    @property
    def prefix(self) -> str:
        """Return what stands before topics, keys of Redis and the name of the database."""
        return DEFAULT_PREFIX if self.kafka is None else self.kafka.prefix

    def __repr__(self) -> str:
        """Show everything but the secrets."""
        profile = "cluster" if self.kafka is not None else "embedded"
        return f"Settings({profile}, data={self.data}, host={self.host}, port={self.port}, log_level={self.log_level})"


_REDIS_USES = {
    "cache": "CODEPARK_REDIS_CACHE_URL",
    "sessions": "CODEPARK_REDIS_SESSIONS_URL",
    "queue": "CODEPARK_REDIS_QUEUE_URL",
    "pubsub": "CODEPARK_REDIS_PUBSUB_URL",
}
_MOST_PARTITIONS = 64
_LEVELS = ("debug", "info", "warning", "error")
_PORTS = range(1, 65_536)
_MONGODB_SCHEMES = ("mongodb://", "mongodb+srv://")
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


def read_settings(
    environment: Mapping[str, str], *, data: Path | None = None, port: int | None = None
) -> Settings:
    """Read the settings; *data* and *port* of the command line come first. Raises SettingsError."""
    kafka, mongodb_uri = _kafka(environment), _first(environment, "CODEPARK_MONGODB_URI", "MONGODB_URI")
    _check_scheme("CODEPARK_MONGODB_URI", mongodb_uri, _MONGODB_SCHEMES)
    redis_url = _first(environment, "CODEPARK_REDIS_URL", "REDIS_URL")
    settings = Settings(
        data=(data or Path(environment.get("CODEPARK_DATA") or "codepark-data")).absolute(),
        host=environment.get("CODEPARK_HOST") or "127.0.0.1",
        port=_port(environment) if port is None else _checked_port(port, "--port"),
        log_level=_level(environment),
        redis_url=redis_url,
        secret=_secret(environment),
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        mongodb_ca_file=_file(environment, "CODEPARK_MONGODB_CA_FILE"),
        redis=_redis(environment, redis_url),
        redis_ca_file=_file(environment, "CODEPARK_REDIS_CA_FILE"),
        node_address=_node_address(environment),
        master_keys=_master_keys(environment),
        public_url=_url(environment, "CODEPARK_PUBLIC_URL", ("http://", "https://")),
        smtp_url=_url(environment, "CODEPARK_SMTP_URL", ("smtp://", "smtps://")),
        mail_from=environment.get("CODEPARK_MAIL_FROM") or "CodePark <no-reply@localhost>",
        gateway=read_gateway_settings(environment),
        graphql=_graphql(environment),
    )
    _check_profile(settings)
    return settings


def _check_profile(settings: Settings) -> None:
    """Refuse half a cluster."""
    if settings.kafka is None:
        if settings.mongodb_uri is not None:
            raise SettingsError(
                f"CODEPARK_MONGODB_URI is set and {BOOTSTRAP} is not: set both for the cluster profile, or neither"
            )
        return
    if settings.mongodb_uri is None:
        raise SettingsError(f"{BOOTSTRAP} is set: set CODEPARK_MONGODB_URI too, or unset it")
    if settings.redis is None:
        raise SettingsError(f"{BOOTSTRAP} is set: set CODEPARK_REDIS_URL too, or unset it")
    if settings.secret is None:
        raise SettingsError(
            f"{BOOTSTRAP} is set: set CODEPARK_SECRET_KEY or CODEPARK_SECRET_KEY_FILE too, the same for all processes"
        )
    if settings.kafka.partitions > _MOST_PARTITIONS:
        raise SettingsError(
            f"CODEPARK_PARTITIONS is {settings.kafka.partitions}: `serve` takes up to {_MOST_PARTITIONS}, for a "
            "position names every partition (the persistence module takes more)"
        )


def _kafka(environment: Mapping[str, str]) -> KafkaSettings | None:
    try:
        return read_kafka_settings(environment)
    except KafkaSettingsError as error:
        raise SettingsError(str(error)) from error


def _redis(environment: Mapping[str, str], default: str | None) -> RedisUrls | None:
    urls = {use: environment.get(name) or default for use, name in _REDIS_USES.items()}
    missing = [_REDIS_USES[use] for use, url in urls.items() if not url]
    if len(missing) == len(urls):
        return None
    if missing:
        raise SettingsError(f"{missing[0]} is missing: set it, or CODEPARK_REDIS_URL for all uses")
    for use, url in urls.items():
        own = _REDIS_USES[use]
        _check_scheme(own if environment.get(own) else "CODEPARK_REDIS_URL", url, _REDIS_SCHEMES)
    return RedisUrls(**{use: url for use, url in urls.items() if url})


def _first(environment: Mapping[str, str], *names: str) -> str | None:
    return next((value for name in names if (value := environment.get(name))), None)


def _check_scheme(name: str, url: str | None, schemes: Sequence[str]) -> None:
    """Refuse a URL of something else; it is not shown, for there may be a password in it."""
    if url is not None and not url.startswith(tuple(schemes)):
        raise SettingsError(f"{name} must begin with {' or '.join(schemes)}")


def _file(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name) or None
    if value is not None and not Path(value).is_file():
        raise SettingsError(f"{name} is {value!r}; there is no such file")
    return value


def _url(environment: Mapping[str, str], name: str, schemes: Sequence[str]) -> str | None:
    value = environment.get(name) or None
    _check_scheme(name, value, schemes)
    return value


def _master_keys(environment: Mapping[str, str]) -> dict[int, bytes]:
    name = _file(environment, "CODEPARK_MASTER_KEYS_FILE")
    try:
        return {} if name is None else read_master_keys(Path(name))
    except (OSError, UnicodeDecodeError, KmsError) as error:
        raise SettingsError(f"CODEPARK_MASTER_KEYS_FILE cannot be used: {error}") from error


def _graphql(environment: Mapping[str, str]) -> GraphQLSettings:
    try:
        return read_graphql_settings(environment)
    except GraphQLSettingsError as error:
        raise SettingsError(str(error)) from error


def _node_address(environment: Mapping[str, str]) -> str | None:
    value = environment.get("CODEPARK_NODE_ADDRESS") or None
    if value is not None:
        host, separator, port = value.rpartition(":")
        if not host or not separator or not port.isdecimal() or int(port) not in _PORTS:
            raise SettingsError(f"CODEPARK_NODE_ADDRESS is {value!r}; it takes host:port")
    return value


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
