"""Settings, read once from the environment; a wrong value stops the start with a sentence that names it."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from codepark.gateway_settings import read_gateway_settings
from codepark.log_level import LEVELS, checked_level
from codepark.node_tls import NodeTls, read_node_tls
from codepark.sentry_settings import SentrySettings, read_sentry_settings
from commands.environment import PORTS, Environment, SettingsError, Variables, check_port, check_scheme
from commands.kafka.settings import BOOTSTRAP, DEFAULT_PREFIX, PARTITIONS, KafkaSettings, read_kafka_settings
from commands.kms import KmsError, LocalKms, read_master_keys
from commands.secrets import Secrets
from domain.errors import InvalidError
from read_api.auth.passwords import LEAST_MEMORY, MEMORY
from read_api.gateway.access_log import ERRORS, MODES
from read_api.gateway.settings import GatewaySettings
from read_api.graphql.settings import GraphQLSettings, read_graphql_settings

_DATA = "CODEPARK_DATA"
_HOST = "CODEPARK_HOST"
_PORT = "CODEPARK_PORT"
_LOG_LEVEL = "CODEPARK_LOG_LEVEL"
_LOG_LEVEL_FILE = "CODEPARK_LOG_LEVEL_FILE"
SECRET_KEY = "CODEPARK_SECRET_KEY"  # noqa: S105 # the name of a variable
_SECRET_KEY_FILE = "CODEPARK_SECRET_KEY_FILE"  # noqa: S105 # as above
_MASTER_KEYS_FILE = "CODEPARK_MASTER_KEYS_FILE"
_MONGODB_URI = "CODEPARK_MONGODB_URI"
_MONGODB_CA_FILE = "CODEPARK_MONGODB_CA_FILE"
_REDIS_URL = "CODEPARK_REDIS_URL"
_REDIS_CA_FILE = "CODEPARK_REDIS_CA_FILE"
_REDIS_USES = {
    "cache": "CODEPARK_REDIS_CACHE_URL",
    "sessions": "CODEPARK_REDIS_SESSIONS_URL",
    "queue": "CODEPARK_REDIS_QUEUE_URL",
    "pubsub": "CODEPARK_REDIS_PUBSUB_URL",
}
_NODE_ADDRESS = "CODEPARK_NODE_ADDRESS"
_PUBLIC_URL = "CODEPARK_PUBLIC_URL"
_SMTP_URL = "CODEPARK_SMTP_URL"
_MAIL_FROM = "CODEPARK_MAIL_FROM"
_ACCESS_LOG = "CODEPARK_ACCESS_LOG"
_JOBS = "CODEPARK_JOBS"
_AWAY_SECONDS = "CODEPARK_AWAY_SECONDS"
_PASSWORD_MEMORY = "CODEPARK_PASSWORD_MEMORY"  # noqa: S105 # the name of a variable

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 # what the settings say

_DEFAULT_PORT = 3000
_DEFAULT_AWAY_SECONDS = 300.0
_DEFAULT_SENDER = "CodePark <no-reply@localhost>"
_MOST_PARTITIONS = 64
_MOST_MEMORY = 4096
_MONGODB_SCHEMES = ("mongodb://", "mongodb+srv://")
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


class RedisUrls(Struct, frozen=True, kw_only=True):
    """The Redis of each use; several may be the same, but that of *queue* must not evict."""

    cache: str
    sessions: str
    queue: str
    pubsub: str


class ClusterSettings(Struct, frozen=True, kw_only=True):
    """The settings without which there is no cluster profile, and the certificates of its servers."""

    kafka: KafkaSettings
    mongodb_uri: str
    mongodb_ca_file: str | None
    redis: RedisUrls
    redis_ca_file: str | None
    secret: Secrets


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of a process. *secret* is None where the data directory holds the key.

    *kafka* chooses the cluster profile, which needs *mongodb_uri*, *redis* and *secret* too (see `cluster`).
    Other nodes hand commands to this one at *node_address* (`host:port`); without it they do not. In the
    folder *processes* those that share one port find each other. Without *jobs*, this process has no queue;
    a notification that is unread for *away_seconds* may have a mail.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = _DEFAULT_PORT
    log_level: str = "info"
    log_level_file: Path | None = None
    redis_url: str | None = None
    secret: Secrets | None = None
    kafka: KafkaSettings | None = None
    mongodb_uri: str | None = None
    mongodb_ca_file: str | None = None
    redis: RedisUrls | None = None
    redis_ca_file: str | None = None
    node_address: str | None = None
    node_tls: NodeTls | None = None
    processes: Path | None = None
    master_keys: Mapping[int, bytes] = {}
    public_url: str | None = None
    smtp_url: str | None = None
    mail_from: str = _DEFAULT_SENDER
    access_log: str = ERRORS
    jobs: bool = True
    away_seconds: float = _DEFAULT_AWAY_SECONDS
    password_memory: int = MEMORY
    sentry: SentrySettings | None = None
    gateway: GatewaySettings = GatewaySettings()
    graphql: GraphQLSettings = GraphQLSettings()

    def kms(self, secrets: Secrets) -> LocalKms:
        """Return the service that wraps the keys of people; the operator's own file may add master keys."""
        return LocalKms(secrets.master_key, self.master_keys)

    def cluster(self) -> ClusterSettings:
        """Return the settings of the cluster profile; raises SettingsError for the one that is missing."""
        if self.kafka is None:
            raise SettingsError(f"this needs the cluster profile: set {BOOTSTRAP}")
        if self.mongodb_uri is None:
            raise SettingsError(f"{BOOTSTRAP} is set: set {_MONGODB_URI} too, or unset it")
        if self.redis is None:
            raise SettingsError(f"{BOOTSTRAP} is set: set {_REDIS_URL} too, or unset it")
        if self.secret is None:
            raise SettingsError(
                f"{BOOTSTRAP} is set: set {SECRET_KEY} or {_SECRET_KEY_FILE} too, the same for all processes"
            )
        return ClusterSettings(
            kafka=self.kafka,
            mongodb_uri=self.mongodb_uri,
            mongodb_ca_file=self.mongodb_ca_file,
            redis=self.redis,
            redis_ca_file=self.redis_ca_file,
            secret=self.secret,
        )

    @property
    def prefix(self) -> str:
        """Return the text that stands before topics, keys of Redis and the name of the database."""
        return DEFAULT_PREFIX if self.kafka is None else self.kafka.prefix

    @property
    def url(self) -> str:
        """Return the URL that the server listens on."""
        return f"{'https' if self.gateway.tls else 'http'}://{self.host}:{self.port}"

    def node_listener(self, number: int = 0) -> tuple[str, int] | None:
        """Return where a process listens for other nodes, the *number*th of several; None where none does.

        Others may know this node by a name: a server that listens everywhere does so for them, too.
        """
        if self.kafka is None or self.node_address is None:
            return None
        host, _, port = self.node_address.rpartition(":")
        return self.host if self.host in EVERYWHERE else host.strip("[]"), int(port) + number

    def __repr__(self) -> str:
        """Show everything but the secrets."""
        profile = "cluster" if self.kafka is not None else "embedded"
        address = f"host={self.host}, port={self.port}"
        return f"Settings({profile}, data={self.data}, {address}, log_level={self.log_level})"


def read_settings(variables: Variables, *, data: Path | None = None, port: int | None = None) -> Settings:
    """Read the settings; *data* and *port* of the command line come first. Raises SettingsError."""
    environment = Environment(variables)
    mongodb_uri = environment.text_or_file(_MONGODB_URI, "MONGODB_URI")
    check_scheme(_MONGODB_URI, mongodb_uri, _MONGODB_SCHEMES)
    redis_url = environment.text_or_file(_REDIS_URL, "REDIS_URL")
    host = environment.text(_HOST) or "127.0.0.1"
    public_url = environment.url(_PUBLIC_URL, ("http://", "https://"))
    settings = Settings(
        data=(data or Path(environment.text(_DATA) or "codepark-data")).absolute(),
        host=host,
        port=environment.number(_PORT, _DEFAULT_PORT, PORTS) if port is None else check_port("--port", port),
        log_level=_log_level(environment),
        log_level_file=environment.readable_file(_LOG_LEVEL_FILE),
        redis_url=redis_url,
        secret=_secret(environment),
        kafka=read_kafka_settings(variables),
        mongodb_uri=mongodb_uri,
        mongodb_ca_file=environment.file(_MONGODB_CA_FILE),
        redis=_redis(environment, redis_url),
        redis_ca_file=environment.file(_REDIS_CA_FILE),
        node_address=environment.address(_NODE_ADDRESS),
        node_tls=read_node_tls(environment),
        master_keys=_master_keys(environment),
        public_url=public_url,
        smtp_url=environment.url(_SMTP_URL, ("smtp://", "smtps://")),
        mail_from=environment.text(_MAIL_FROM) or _DEFAULT_SENDER,
        jobs=environment.switch(_JOBS),
        away_seconds=environment.seconds(_AWAY_SECONDS, _DEFAULT_AWAY_SECONDS),
        access_log=environment.choice(_ACCESS_LOG, MODES) or ERRORS,
        password_memory=environment.number(_PASSWORD_MEMORY, MEMORY, range(LEAST_MEMORY, _MOST_MEMORY + 1)),
        sentry=read_sentry_settings(environment),
        gateway=read_gateway_settings(variables, host, public_url),
        graphql=read_graphql_settings(variables),
    )
    _check_profile(settings)
    return settings


def _log_level(environment: Environment) -> str:
    """Return the level of the log: that of the file comes first, because the file may change later."""
    written = environment.choice(_LOG_LEVEL, tuple(LEVELS)) or "info"
    in_file = environment.secret_file(_LOG_LEVEL_FILE)
    try:
        return written if in_file is None else checked_level(in_file)
    except InvalidError as error:
        raise SettingsError(f"{_LOG_LEVEL_FILE}: {error.message}") from error


def _check_profile(settings: Settings) -> None:
    """Refuse half a cluster, and more partitions than a position can name."""
    if settings.kafka is None:
        if settings.mongodb_uri is not None:
            raise SettingsError(
                f"{_MONGODB_URI} is set and {BOOTSTRAP} is not: set both for the cluster profile, or neither"
            )
        return
    settings.cluster()
    if settings.kafka.partitions > _MOST_PARTITIONS:
        raise SettingsError(
            f"{PARTITIONS} is {settings.kafka.partitions}: `serve` takes up to {_MOST_PARTITIONS}, because a "
            "position names every partition (the persistence module takes more)"
        )


def _redis(environment: Environment, default: str | None) -> RedisUrls | None:
    own = {use: environment.text_or_file(name) for use, name in _REDIS_USES.items()}
    urls = {use: url or default for use, url in own.items()}
    missing = [_REDIS_USES[use] for use, url in urls.items() if url is None]
    if len(missing) == len(urls):
        return None
    if missing:
        raise SettingsError(f"{missing[0]} is missing: set it, or {_REDIS_URL} for all uses")
    for use, url in urls.items():
        check_scheme(_REDIS_URL if own[use] is None else _REDIS_USES[use], url, _REDIS_SCHEMES)
    return RedisUrls(**{use: url for use, url in urls.items() if url is not None})


def _master_keys(environment: Environment) -> dict[int, bytes]:
    file = environment.file(_MASTER_KEYS_FILE)
    try:
        return {} if file is None else read_master_keys(Path(file))
    except (OSError, UnicodeDecodeError, KmsError) as error:
        raise SettingsError(f"{_MASTER_KEYS_FILE} cannot be used: {error}") from error


def _secret(environment: Environment) -> Secrets | None:
    value = environment.text(SECRET_KEY)
    if value is not None and environment.text(_SECRET_KEY_FILE) is not None:
        raise SettingsError(f"set {SECRET_KEY} or {_SECRET_KEY_FILE}, not both")
    name = _SECRET_KEY_FILE if value is None else SECRET_KEY
    key = environment.secret_file(_SECRET_KEY_FILE) if value is None else value
    try:
        return None if key is None else Secrets.from_base64(key)
    except ValueError as error:  # SecretError, or a letter that base64 does not have
        raise SettingsError(f"{name} cannot be used: {error}") from error
