"""How the edge of the HTTP surface is set."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from msgspec import Struct

from read_api.gateway.limits.limiter import DEADLINE_SECONDS

Network = IPv4Network | IPv6Network
ANY_ORIGIN = "*"


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """Whom the edge believes, whom it lets in, how long it waits.

    *trusted_proxies* may say for whom they ask (X-Forwarded-For, X-Forwarded-Proto). Pages of *cors_origins* may read
    answers. Without *rate_limits* or *sign_in_limits* those do not apply. With a certificate and its key the server
    speaks TLS. A body must be there within *body_seconds*, an answer within *request_seconds*; the shared limiter has
    *limiter_seconds* for an answer.
    """

    trusted_proxies: tuple[Network, ...] = ()
    cors_origins: frozenset[str] = frozenset()
    rate_limits: bool = True
    sign_in_limits: bool = True
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    body_seconds: float = 30.0
    request_seconds: float = 60.0
    limiter_seconds: float = DEADLINE_SECONDS

    @property
    def tls(self) -> bool:
        """Tell whether the server itself speaks TLS."""
        return self.tls_cert_file is not None
