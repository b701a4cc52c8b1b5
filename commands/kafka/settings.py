"""How to connect to Kafka; the persistence module and the composition root read it from the environment."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

BOOTSTRAP = "CODEPARK_KAFKA_BOOTSTRAP_SERVERS"
PREFIX = "CODEPARK_TOPIC_PREFIX"
PARTITIONS = "CODEPARK_PARTITIONS"
DEFAULT_PREFIX = "codepark."
_MOST_PARTITIONS = 1_024
_LONGEST_PREFIX = 100  # Kafka allows 249 for the whole name
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaSettingsError(ValueError):
    """A setting of Kafka that cannot be used; the message names the variable."""


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """The address of Kafka, and how to connect to it."""

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
        """Return the options of every aiokafka client; raises KafkaSettingsError where a file is missing."""
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
            raise KafkaSettingsError(
                f"CODEPARK_KAFKA_CA_FILE or CODEPARK_KAFKA_CERTIFICATE_FILE cannot be used: {error}"
            ) from error
        return context


def read_kafka_settings(environment: Mapping[str, str]) -> KafkaSettings | None:
    """Read the settings; None where Kafka is not configured. Raises KafkaSettingsError."""
    servers = environment.get(BOOTSTRAP)
    if not servers:
        return None
    if not all(_is_address(part) for part in servers.split(",")):
        raise KafkaSettingsError(
            f"{BOOTSTRAP} is {servers!r}; it takes host:port, several separated by commas"
        )
    username, password, mechanism = _sasl(environment)
    return KafkaSettings(
        bootstrap_servers=servers,
        prefix=_prefix(environment),
        partitions=_partitions(environment),
        security_protocol=_protocol(environment, sasl=username is not None),
        ca_file=_file(environment, "CODEPARK_KAFKA_CA_FILE"),
        certificate_file=_file(environment, "CODEPARK_KAFKA_CERTIFICATE_FILE"),
        key_file=_file(environment, "CODEPARK_KAFKA_KEY_FILE"),
        sasl_mechanism=mechanism,
        sasl_username=username,
        sasl_password=password,
    )


def _sasl(environment: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """Return user, password and mechanism: all or none."""
    username = environment.get("CODEPARK_KAFKA_SASL_USERNAME") or None
    named = environment.get("CODEPARK_KAFKA_SASL_MECHANISM") or None
    if named is not None and named not in _MECHANISMS:
        raise KafkaSettingsError(
            f"CODEPARK_KAFKA_SASL_MECHANISM is {named!r}; it takes one of {', '.join(_MECHANISMS)}"
        )
    password = _secret(environment, "CODEPARK_KAFKA_SASL_PASSWORD")
    if (username is None) != (password is None):
        raise KafkaSettingsError("CODEPARK_KAFKA_SASL_USERNAME and CODEPARK_KAFKA_SASL_PASSWORD go together")
    if username is None and named is not None:
        raise KafkaSettingsError(
            "CODEPARK_KAFKA_SASL_MECHANISM needs "
            "CODEPARK_KAFKA_SASL_USERNAME and CODEPARK_KAFKA_SASL_PASSWORD"
        )
    return username, password, None if username is None else named or "SCRAM-SHA-512"


def _is_address(text: str) -> bool:
    host, separator, port = text.strip().rpartition(":")
    return bool(host and separator and port.isdecimal())


def _prefix(environment: Mapping[str, str]) -> str:
    prefix = environment.get(PREFIX, DEFAULT_PREFIX)
    if (
        not all(part.isalnum() or part in "._-" for part in prefix)
        or not prefix.isascii()
        or len(prefix) > _LONGEST_PREFIX
    ):
        raise KafkaSettingsError(f"{PREFIX} is {prefix!r}; it takes up to 100 letters, digits, dots, - and _")
    return prefix


def _partitions(environment: Mapping[str, str]) -> int:
    text = environment.get(PARTITIONS) or "1"
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_PARTITIONS:
        raise KafkaSettingsError(f"{PARTITIONS} is {text!r}; it takes a number from 1 to {_MOST_PARTITIONS}")
    return int(text)


def _protocol(environment: Mapping[str, str], *, sasl: bool) -> str:
    tls = any(environment.get(f"CODEPARK_KAFKA_{name}") for name in ("CA_FILE", "CERTIFICATE_FILE"))
    default = ("SASL_" if sasl else "") + ("SSL" if tls else "PLAINTEXT")
    protocol = environment.get("CODEPARK_KAFKA_SECURITY_PROTOCOL") or default
    if protocol not in _PROTOCOLS:
        raise KafkaSettingsError(
            f"CODEPARK_KAFKA_SECURITY_PROTOCOL is {protocol!r}; it takes one of {', '.join(_PROTOCOLS)}"
        )
    if protocol.startswith("SASL") != sasl:
        fitting = "needs" if not sasl else "has no place for"
        raise KafkaSettingsError(
            f"CODEPARK_KAFKA_SECURITY_PROTOCOL is {protocol}, which {fitting} CODEPARK_KAFKA_SASL_USERNAME"
        )
    return protocol


def _file(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name) or None
    if value is not None and not Path(value).is_file():
        raise KafkaSettingsError(f"{name} is {value!r}; there is no such file")
    return value


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    file = environment.get(f"{name}_FILE")
    if not file:
        return environment.get(name) or None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise KafkaSettingsError(f"{name}_FILE cannot be read: {error}") from error
