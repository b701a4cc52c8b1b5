"""Two nodes behind one proxy: the client's address is known, and its limits count on both together."""

import time
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from domain.actor import Role, Tier
from tests.support.installation import Installation
from tests.support.limited import LIMITED, any_address, until_refused
from tests.support.proxy import proxied
from tests.support.server import eventually
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory, kafka, mongodb_uri, redis_url):
    installation = Installation(
        tmp_path_factory.mktemp("nodes"),
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=f"nodes-{uuid4().hex[:12]}.",
        **LIMITED,
    )
    with installation:
        installation.start_worker()
        yield installation.start_nodes(2)


@pytest.fixture(scope="module")
def url(nodes):
    with proxied([node.port for node in nodes]) as proxy:
        yield proxy


def client(url, address, **headers):
    return httpx.Client(base_url=url, headers={"X-Test-Client": address, **headers}, timeout=stretched(20))


def test_an_address_has_one_limit_at_both_nodes(url):
    with client(url, any_address()) as visitor:
        began = time.monotonic()
        *passed, _ = until_refused(lambda: visitor.get("/api/v1/announcements"))
        seconds = time.monotonic() - began
    assert 10 <= len(passed) <= 10 + seconds + 1
    assert {answer.status_code for answer in passed} == {200}


def test_an_account_has_one_limit_at_both_nodes(url):
    from commands.secrets import Secrets
    from read_api.auth.keys import SigningKeys
    from read_api.auth.tokens import Tokens
    from tests.support.installation import SECRET

    token = Tokens(SigningKeys(Secrets.from_base64(SECRET))).issue_access(
        str(uuid4()), frozenset({Role.USER}), tier=Tier.FREE, operator=True
    )
    began = time.monotonic()
    statuses = []
    for _ in range(2):
        with client(url, any_address(), Authorization=f"Bearer {token}") as visitor:
            statuses += [visitor.get("/api/v1/announcements").status_code for _ in range(30)]
    assert 30 <= statuses.count(200) <= 30 + 5 * (time.monotonic() - began) + 1


def test_what_a_client_says_of_itself_is_not_believed(url):
    address = any_address()

    def ask():
        with client(url, address, **{"X-Forwarded-For": any_address()}) as visitor:
            return visitor.get("/api/v1/announcements")

    until_refused(ask)


def test_over_the_proxys_tls_browsers_are_told_to_keep_using_tls(url):
    with client(url, any_address()) as visitor:
        assert (
            visitor.get("/health/live").headers["strict-transport-security"].startswith("max-age=31536000;")
        )


def test_live_connections_are_counted_at_both_nodes_and_freed(url):
    address = any_address()

    def opened(stack):
        visitor = stack.enter_context(client(url, address))
        return stack.enter_context(visitor.stream("GET", "/api/v1/events/stream")).status_code

    with ExitStack() as stack:
        assert [opened(stack) for _ in range(6)] == [200] * 5 + [429]

    def freed():
        with ExitStack() as stack:
            return opened(stack) == httpx.codes.OK

    eventually(freed)
