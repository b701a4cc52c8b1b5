"""How to reach Kafka: read by the persistence module and by the composition root alike."""

import ssl
from typing import Any

from msgspec import Struct

from commands.environment import Environment, SettingsError, Variables

BOOTSTRAP = "CODEPARK_KAFKA_BOOTSTRAP_SERVERS"
PREFIX = "CODEPARK_TOPIC_PREFIX"
PARTITIONS = "CODEPARK_PARTITIONS"
DEFAULT_PREFIX = "codepark."
_PROTOCOL = "CODEPARK_KAFKA_SECURITY_PROTOCOL"
_CA_FILE = "CODEPARK_KAFKA_CA_FILE"
_CERTIFICATE_FILE = "CODEPARK_KAFKA_CERTIFICATE_FILE"
_KEY_FILE = "CODEPARK_KAFKA_KEY_FILE"
_MECHANISM = "CODEPARK_KAFKA_SASL_MECHANISM"
_USERNAME = "CODEPARK_KAFKA_SASL_USERNAME"
_PASSWORD = "CODEPARK_KAFKA_SASL_PASSWORD"  # noqa: S105 # the name of a variable
_PASSWORD_FILE = "CODEPARK_KAFKA_SASL_PASSWORD_FILE"  # noqa: S105 # as above
_MOST_PARTITIONS = 1_024
_LONGEST_PREFIX = 100  # Kafka allows 249 for the whole name
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """Where Kafka is, how to connect to it, and which topics are ours."""

    bootstrap_servers: str
    prefix: str = DEFAULT_PREFIX
    partitions: int = 1
    security_protocol: str = "PLAINTEXT"
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None

    def __repr__(self) -> str:
        """Show everything but the secrets."""
        return f"KafkaSettings({self.bootstrap_servers}, prefix={self.prefix}, {self.security_protocol})"

    @property
    def topic(self) -> str:
        """Return the name of the log's topic."""
        return f"{self.prefix}events"

    def client_options(self) -> dict[str, Any]:
        """Return the options of an aiokafka client; raises SettingsError where a file cannot be used."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.security_protocol,
        }
        if "SSL" in self.security_protocol:
            options["ssl_context"] = self._context()
        if self.sasl_mechanism is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"{_CA_FILE} or {_CERTIFICATE_FILE} cannot be used: {error}") from error
        return context


def read_kafka_settings(variables: Variables) -> KafkaSettings | None:
    """Read the settings, None where Kafka is not configured; raises SettingsError."""
    environment = Environment(variables)
    servers = environment.addresses(BOOTSTRAP)
    if servers is None:
        return None
    username, password, mechanism = _sasl(environment)
    return KafkaSettings(
        bootstrap_servers=servers,
        prefix=read_prefix(variables),
        partitions=environment.number(PARTITIONS, 1, range(1, _MOST_PARTITIONS + 1)),
        security_protocol=_protocol(environment, sasl=username is not None),
        ca_file=environment.file(_CA_FILE),
        certificate_file=environment.file(_CERTIFICATE_FILE),
        key_file=environment.file(_KEY_FILE),
        sasl_mechanism=mechanism,
        sasl_username=username,
        sasl_password=password,
    )


def read_prefix(variables: Variables) -> str:
    """Return the text that stands before the names of topics, which may be empty; raises SettingsError."""
    given = Environment(variables).given(PREFIX)
    prefix = DEFAULT_PREFIX if given is None else given
    named = all(character.isalnum() or character in "._-" for character in prefix)
    if not named or not prefix.isascii() or len(prefix) > _LONGEST_PREFIX:
        raise SettingsError(f"{PREFIX} is {prefix!r}; it takes up to 100 letters, digits, dots, - and _")
    return prefix


def _sasl(environment: Environment) -> tuple[str | None, str | None, str | None]:
    """Return user, password and mechanism: all or none."""
    username = environment.text(_USERNAME)
    chosen = environment.choice(_MECHANISM, _MECHANISMS)
    in_file = environment.secret_file(_PASSWORD_FILE)
    password = environment.text(_PASSWORD) if in_file is None else in_file
    if (username is None) != (password is None):
        raise SettingsError(f"{_USERNAME} and {_PASSWORD} go together: set both, or neither")
    if username is None and chosen is not None:
        raise SettingsError(f"{_MECHANISM} needs {_USERNAME} and {_PASSWORD}")
    return username, password, None if username is None else chosen or "SCRAM-SHA-512"


def _protocol(environment: Environment, *, sasl: bool) -> str:
    tls = environment.text(_CA_FILE, _CERTIFICATE_FILE) is not None
    default = ("SASL_" if sasl else "") + ("SSL" if tls else "PLAINTEXT")
    protocol = environment.choice(_PROTOCOL, _PROTOCOLS) or default
    if protocol.startswith("SASL") and not sasl:
        raise SettingsError(f"{_PROTOCOL} is {protocol}, which needs {_USERNAME}")
    if sasl and not protocol.startswith("SASL"):
        raise SettingsError(f"{_PROTOCOL} is {protocol}, which does not use {_USERNAME}: unset one of them")
    return protocol
