"""Clients of a server that counts: each test comes from an address of its own."""

from collections.abc import Callable
from contextlib import closing
from ipaddress import IPv4Address
from itertools import count
from uuid import uuid4

import httpx

from commands.secrets import Secrets
from domain.actor import Role, Tier
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens
from tests.support.server import Server
from tests.support.time_scale import stretched

LIMITED = {
    "CODEPARK_RATE_LIMITS": "on",
    "CODEPARK_SIGN_IN_LIMITS": "on",
    "CODEPARK_TRUSTED_PROXIES": "127.0.0.1",
    "CODEPARK_LIMITER_SECONDS": str(stretched(5)),  # other tests keep the machine busy
}


_addresses = count(int(IPv4Address("10.0.0.1")))


def any_address() -> str:
    """Return an address that no other test has."""
    return str(IPv4Address(next(_addresses)))


def from_address(server: Server, address: str | None = None, token: str | None = None) -> httpx.Client:
    """Return a client behind the proxy that the server trusts."""
    client = server.client(token)
    client.headers["X-Forwarded-For"] = address or any_address()
    return client


def somebody(server: Server, tier: Tier) -> str:
    """Return a token of an account of its own."""
    tokens = Tokens(SigningKeys(Secrets.from_base64(server.secret_key())))
    return tokens.issue_access(str(uuid4()), frozenset({Role.USER}), tier=tier, operator=True)


def until_refused(ask: Callable[[], httpx.Response], most: int = 200) -> list[httpx.Response]:
    """Ask until the limit refuses, and return the answers: on a slow machine more comes back meanwhile."""
    answers = [ask()]
    while answers[-1].status_code != httpx.codes.TOO_MANY_REQUESTS:
        assert len(answers) < most, "nothing is refused"
        answers.append(ask())
    return answers


def statuses(client: httpx.Client, count: int, path: str = "/api/v1/projects") -> list[int]:
    with closing(client):
        return [client.get(path).status_code for _ in range(count)]
