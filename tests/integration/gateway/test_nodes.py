"""Two nodes behind one proxy: the client's address is known, and its limits count on both together."""

import socket
import ssl
import time
from contextlib import ExitStack
from uuid import uuid4

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from commands.nodes.bus import PATH, PROOF_HEADER
from commands.nodes.proof import NodeProofs
from commands.secrets import Secrets
from devservers.certificates import make_certificates
from domain.actor import Role, Tier
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens
from tests.support.installation import SECRET, Installation
from tests.support.limited import LIMITED, any_address, until_refused
from tests.support.proxy import proxied
from tests.support.server import eventually
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory, kafka, mongodb_uri, redis_url):
    folder = tmp_path_factory.mktemp("nodes")
    certificates = make_certificates(folder / "certificates")
    installation = Installation(
        folder,
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=f"nodes-{uuid4().hex[:12]}.",
        CODEPARK_NODE_TLS_CERT_FILE=str(certificates.certificate),
        CODEPARK_NODE_TLS_KEY_FILE=str(certificates.key),
        CODEPARK_NODE_TLS_CA_FILE=str(certificates.authority),
        **LIMITED,
        CODEPARK_QUOTAS="on",
    )
    with installation:
        installation.start_worker()
        installation.start_nodes(2)
        yield installation


@pytest.fixture(scope="module")
def nodes(installation):
    return installation.nodes


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


def free_account():
    """Return a token of an account that nobody else uses."""
    tokens = Tokens(SigningKeys(Secrets.from_base64(SECRET)))
    return tokens.issue_access(str(uuid4()), frozenset({Role.USER}), tier=Tier.FREE, operator=True)


def test_feedback_counts_at_both_nodes_together(url):
    """Each request is at another node: the proxy takes turns."""
    with client(url, any_address(), Authorization=f"Bearer {free_account()}") as sender:
        *passed, late = until_refused(lambda: sender.post("/api/v1/feedback", json={"message": "m"}))
    assert [answer.status_code for answer in passed] == [204] * 10
    assert 1 <= int(late.headers["retry-after"]) <= 360


def test_an_account_owns_no_more_than_its_quota(url):
    """The batch leaves a debt that no other request of the account waits for here."""
    commands = [{"type": "project.create", "data": {"name": "p"}}] * 101
    with client(url, any_address(), Authorization=f"Bearer {free_account()}") as account:
        results = account.post("/api/v1/commands", json={"commands": commands}).json()["results"]
    assert [result["status"] for result in results] == ["accepted"] * 100 + ["refused"]
    assert results[-1]["problem"]["code"] == "quota_exceeded"


def test_an_account_has_one_limit_at_both_nodes(url):
    token = free_account()
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


def metric(node, name, **labels):
    """Return a figure of *node*."""
    with node.client() as operator:
        text = operator.get("/metrics").text
    return next(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )


def test_a_command_is_forwarded_over_tls_and_leaves_no_line_of_another_form(installation):
    (other,) = installation.others()
    with other.client() as operator:
        for number in range(5):
            created = operator.post("/api/v1/projects", json={"name": f"forwarded {number}"})
            assert created.status_code == httpx.codes.CREATED, created.text
    assert metric(other, "codepark_node_forwards_total", outcome="answered") >= 5
    for node in installation.nodes:
        lines = [msgspec.json.decode(line) for line in node.output.read_text().splitlines()]
        assert all("event" in line for line in lines)
        assert not any("HTTP Request" in line["event"] for line in lines)


def test_nodes_do_not_speak_without_tls_and_not_without_a_proof(installation):
    node = installation.preferred_node()
    with pytest.raises(httpx.TransportError):
        httpx.post(f"http://{node.address}{PATH}", content=b"\x90")
    authority = installation.environment["CODEPARK_NODE_TLS_CA_FILE"]
    context = ssl.create_default_context(cafile=authority)
    before = metric(node, "codepark_node_unproven_total", kind="request")
    with httpx.Client(verify=context) as stranger:
        for header in ({}, {PROOF_HEADER: Secrets.from_base64(SECRET).node_secret()}):
            assert (
                stranger.post(f"https://{node.address}{PATH}", headers=header, content=b"\x90").status_code
                == 403
            )
    assert metric(node, "codepark_node_unproven_total", kind="request") == before + 2


def test_a_heartbeat_that_somebody_wrote_into_redis_brings_no_command_to_him(installation):
    (other,) = installation.others()
    with socket.create_server(("127.0.0.1", 0)) as stranger, Redis.from_url(installation.redis_url) as client:
        stranger.settimeout(0)
        address = f"127.0.0.1:{stranger.getsockname()[1]}"
        for text in ("7", NodeProofs("another").of_heartbeat(address, int(time.time() * 1000))):
            before = metric(other, "codepark_node_unproven_total", kind="heartbeat")
            client.hset(f"{installation.prefix}nodes.2", address, text)
            eventually(lambda: metric(other, "codepark_node_unproven_total", kind="heartbeat") > before)  # noqa: B023
        with other.client() as operator:
            for number in range(5):
                assert operator.post("/api/v1/projects", json={"name": f"kept {number}"}).is_success
        with pytest.raises(BlockingIOError):
            stranger.accept()
        client.hdel(f"{installation.prefix}nodes.2", address)
