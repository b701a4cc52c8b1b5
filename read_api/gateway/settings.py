"""What an installation decides about the edge of its HTTP surface."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from msgspec import Struct

from read_api.gateway.limits.limiter import DEADLINE_SECONDS

Network = IPv4Network | IPv6Network
ANY_ORIGIN = "*"


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """Which proxies the edge trusts, which pages it answers, what it limits, and how long it waits.

    The headers X-Forwarded-For and X-Forwarded-Proto of *trusted_proxies* are believed. Pages of
    *cors_origins* may read answers. Requests for a host that is not one of *allowed_hosts* are refused (None:
    every host is allowed). Without *rate_limits*, *sign_in_limits* or *quotas* those limits do not apply.
    With a certificate and its key the server speaks TLS. The body of a request must arrive within
    *body_seconds*, an answer be ready within *request_seconds*; the shared limiter must answer within
    *limiter_seconds*. A caller who sends the *metrics_token* may read the figures of the
    business in the metrics.
    """

    trusted_proxies: tuple[Network, ...] = ()
    cors_origins: frozenset[str] = frozenset()
    allowed_hosts: frozenset[str] | None = None
    rate_limits: bool = True
    sign_in_limits: bool = True
    quotas: bool = True
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    body_seconds: float = 30.0
    request_seconds: float = 60.0
    limiter_seconds: float = DEADLINE_SECONDS
    metrics_token: str | None = None

    @property
    def tls(self) -> bool:
        """Return whether the server itself speaks TLS."""
        return self.tls_cert_file is not None
