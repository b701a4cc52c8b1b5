"""Settings of the edge, read from the environment."""

import ssl
from collections.abc import Mapping
from ipaddress import ip_network
from math import isfinite
from pathlib import Path
from urllib.parse import urlsplit

from codepark.setting_errors import SettingsError
from read_api.gateway.limits.limiter import DEADLINE_SECONDS
from read_api.gateway.settings import ANY_ORIGIN, GatewaySettings, Network

_CERT, _KEY = "CODEPARK_TLS_CERT_FILE", "CODEPARK_TLS_KEY_FILE"
_PROXIES = "CODEPARK_TRUSTED_PROXIES"
_ORIGINS = "CODEPARK_CORS_ORIGINS"
_RATES = "CODEPARK_RATE_LIMITS"
_SIGN_IN = "CODEPARK_SIGN_IN_LIMITS"
_BODY = "CODEPARK_BODY_SECONDS"
_REQUEST = "CODEPARK_REQUEST_SECONDS"
_LIMITER = "CODEPARK_LIMITER_SECONDS"
_SWITCH = {"on": True, "off": False}


def read_gateway_settings(environment: Mapping[str, str]) -> GatewaySettings:
    """Read the settings of the edge; raises SettingsError."""
    certificate, key = _pem(environment, _CERT), _pem(environment, _KEY)
    if (certificate is None) != (key is None):
        given, missing = (_CERT, _KEY) if key is None else (_KEY, _CERT)
        raise SettingsError(f"{given} is set and {missing} is not: set both for TLS, or neither")
    if certificate is not None and key is not None:
        _check_pair(certificate, key)
    return GatewaySettings(
        trusted_proxies=tuple(_network(part) for part in _parts(environment, _PROXIES)),
        cors_origins=frozenset(_origin(part) for part in _parts(environment, _ORIGINS)),
        rate_limits=_switch(environment, _RATES),
        sign_in_limits=_switch(environment, _SIGN_IN),
        tls_cert_file=certificate,
        tls_key_file=key,
        body_seconds=_seconds(environment, _BODY, 30.0),
        request_seconds=_seconds(environment, _REQUEST, 60.0),
        limiter_seconds=_seconds(environment, _LIMITER, DEADLINE_SECONDS),
    )


def _parts(environment: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in environment.get(name, "").split(",") if part.strip()]


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"{_PROXIES} has {text!r}; it takes addresses and networks such as 10.0.0.0/8, separated by commas"
        ) from error


def _origin(text: str) -> str:
    found = urlsplit(text)
    if text != ANY_ORIGIN and (
        found.scheme not in ("http", "https")
        or not found.netloc
        or text != f"{found.scheme}://{found.netloc}"
    ):
        raise SettingsError(
            f"{_ORIGINS} has {text!r}; it takes origins such as https://app.example.org, separated by commas, or *"
        )
    return text.lower()


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = (environment.get(name) or "on").lower()
    if value not in _SWITCH:
        raise SettingsError(f"{name} is {value!r}; it takes on or off")
    return _SWITCH[value]


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not isfinite(value) or value <= 0:
        raise SettingsError(f"{name} is {text!r}; it takes a number of seconds above 0")
    return value


def _pem(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    if not value:
        return None
    path = Path(value).absolute()
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name} is {value!r}, which cannot be read: {error.strerror}") from error
    return path


def _check_pair(certificate: Path, key: Path) -> None:
    """Refuse what is no certificate, or a key that is not its own."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"{_CERT} and {_KEY} are no PEM files of a certificate and its key, without a password: {error}"
        ) from error


def _no_password() -> str:
    """Never ask the terminal; raises ValueError."""
    raise ValueError("the key has a password")
