"""Settings of the edge, read from the environment."""

import ssl
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from commands.environment import Environment, SettingsError, Variables
from read_api.gateway.hosts import ANY_HOST, allowed_hosts, host_of
from read_api.gateway.limits.limiter import DEADLINE_SECONDS
from read_api.gateway.settings import ANY_ORIGIN, GatewaySettings, Network

_CERTIFICATE, _KEY = "CODEPARK_TLS_CERT_FILE", "CODEPARK_TLS_KEY_FILE"
_PROXIES = "CODEPARK_TRUSTED_PROXIES"
_ORIGINS = "CODEPARK_CORS_ORIGINS"
_ALLOWED_HOSTS = "CODEPARK_ALLOWED_HOSTS"
_RATE_LIMITS = "CODEPARK_RATE_LIMITS"
_SIGN_IN_LIMITS = "CODEPARK_SIGN_IN_LIMITS"
_QUOTAS = "CODEPARK_QUOTAS"
_BODY_SECONDS = "CODEPARK_BODY_SECONDS"
_REQUEST_SECONDS = "CODEPARK_REQUEST_SECONDS"
_METRICS_TOKEN = "CODEPARK_METRICS_TOKEN"  # noqa: S105 # the name of a variable
_LIMITER_SECONDS = "CODEPARK_LIMITER_SECONDS"


def read_gateway_settings(variables: Variables, host: str, public_url: str | None) -> GatewaySettings:
    """Read the settings of the edge of a server that listens on *host*; raises SettingsError."""
    environment = Environment(variables)
    public_host = None if public_url is None else urlsplit(public_url).hostname
    certificate, key = certificate_and_key(environment, _CERTIFICATE, _KEY)
    return GatewaySettings(
        trusted_proxies=tuple(_network(text) for text in environment.list(_PROXIES)),
        cors_origins=frozenset(_origin(text) for text in environment.list(_ORIGINS)),
        allowed_hosts=allowed_hosts(
            host, (_host(text) for text in environment.list(_ALLOWED_HOSTS)), public_host
        ),
        rate_limits=environment.switch(_RATE_LIMITS),
        sign_in_limits=environment.switch(_SIGN_IN_LIMITS),
        quotas=environment.switch(_QUOTAS),
        tls_cert_file=certificate,
        tls_key_file=key,
        body_seconds=environment.seconds(_BODY_SECONDS, 30.0),
        request_seconds=environment.seconds(_REQUEST_SECONDS, 60.0),
        limiter_seconds=environment.seconds(_LIMITER_SECONDS, DEADLINE_SECONDS),
        metrics_token=environment.text_or_file(_METRICS_TOKEN),
    )


def certificate_and_key(
    environment: Environment, certificate_name: str, key_name: str
) -> tuple[Path, Path] | tuple[None, None]:
    """Return the files of a certificate and its key, None for both where neither is set."""
    certificate, key = environment.readable_file(certificate_name), environment.readable_file(key_name)
    if certificate is None and key is None:
        return None, None
    if certificate is None or key is None:
        given, missing = (certificate_name, key_name) if key is None else (key_name, certificate_name)
        raise SettingsError(f"{given} is set and {missing} is not: set both for TLS, or neither")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"{certificate_name} and {key_name} are no PEM files of a certificate and its key, "
            f"without a password: {error}"
        ) from error
    return certificate, key


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"{_PROXIES} has {text!r}; it takes addresses and networks such as 10.0.0.0/8, "
            "separated by commas"
        ) from error


def _host(text: str) -> str:
    if text != ANY_HOST and (
        text.count(":") == 1 or host_of(text if ":" not in text else f"[{text}]") is None
    ):
        raise SettingsError(
            f"{_ALLOWED_HOSTS} has {text!r}; it takes host names without ports such as codepark.example.org, "
            "separated by commas, or *"
        )
    return text


def _origin(text: str) -> str:
    if text != ANY_ORIGIN and not _is_origin(text):
        raise SettingsError(
            f"{_ORIGINS} has {text!r}; it takes origins such as https://app.example.org, "
            "separated by commas, or *"
        )
    return text.lower()


def _is_origin(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and url.netloc != "" and text == f"{url.scheme}://{url.netloc}"


def _no_password() -> str:
    """Never ask the terminal; raises ValueError."""
    raise ValueError("the key has a password")
