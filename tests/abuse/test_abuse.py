"""One hostile account and one hostile address take nothing from the others: neither time, memory nor answers.

Every attack runs against one server with others at work, who are compared with themselves before it.
"""

import threading
import time
from collections import Counter

import pytest

from domain.actor import Tier
from tests.abuse.attacks import ATTACKS, EVENTS, FILES, LARGE, VERSIONS, Target
from tests.abuse.others import LIVE, READ, WRITE, Others, sent
from tests.support.limited import LIMITED, any_address, somebody
from tests.support.people import made
from tests.support.proof import size
from tests.support.server import eventually, serving
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600), pytest.mark.proof("abuse")]

SECONDS = size(4.0, 20.0)
ANSWERS = size(120, 500)
"""Of how many answers of each kind the waits are taken, at least: of fewer, one in a hundred is none."""

LIVE_SECONDS = 0.1
FLOOR_SECONDS = 0.1
"""Of a quiet server's answers: what is shorter says nothing on a machine that does other things too."""

MOST_MEMORY = 400 * 2**20
HANDS = 4
"""How many requests the hostile account has under way at once, and as many the hostile address."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("abuse") / "data", LIMITED) as server:
        yield server


@pytest.fixture(scope="module")
def others(server):
    writer, reader = somebody(server, Tier.ENTERPRISE), somebody(server, Tier.ENTERPRISE)
    with server.client(writer) as client:
        project = made(client.post("/api/v1/projects", json={"name": "work", "visibility": "public"}))["id"]
        made(client.put(f"/api/v1/projects/{project}/files/readme.md", json={"content": "read me"}))
    return Others(server, reader, writer, project)


@pytest.fixture(scope="module")
def quiet(others):
    """How long the others wait while nobody attacks, once what is made at first is made."""
    with others.at_work() as first:
        eventually(lambda: first.fewest() >= ANSWERS // 4)
    with others.at_work() as waits:
        eventually(lambda: waits.fewest() >= ANSWERS, seconds=120)
    return waits


@pytest.fixture(scope="module")
def hostile(server):
    """The token of the hostile account, which is a free one."""
    return somebody(server, Tier.FREE)


def batches(client, commands, count):
    for start in range(0, len(commands), count):
        results = made(
            client.post("/api/v1/commands", json={"commands": commands[start : start + count]}), 200
        )
        assert {result["status"] for result in results["results"]} == {"accepted"}


@pytest.fixture(scope="module")
def target(server, hostile):
    """Prepare what the attacks use; it was collected over weeks, so that no limit was in the way."""
    unlimited = hostile_without_limits(server, hostile)
    with server.client(unlimited) as client:

        def create(name, visibility):
            return made(client.post("/api/v1/projects", json={"name": name, "visibility": visibility}))["id"]

        private, large, paths = create("a", "private"), create("b", "public"), create("c", "public")
        for number in range(FILES):
            made(
                client.put(
                    f"/api/v1/projects/{large}/files/{number}.txt", json={"content": LARGE + f"{number}"}
                )
            )
        for number in range(VERSIONS):
            answer = client.put(
                f"/api/v1/projects/{large}/files/v.txt", json={"content": LARGE + f"{number}"}
            )
            assert answer.is_success
        moment = answer.headers["codepark-position"]
        batches(client, [write(paths, f"{number:04}" + "p" * 996) for number in range(1_000)], 500)
        batches(client, [write(private, f"{number}") for number in range(EVENTS)], 500)
        review = made(client.post(f"/api/v1/projects/{private}/reviews", json={"title": "r"}))["id"]
    return Target(private, large, paths, review, moment)


def write(project, path):
    return {"type": "file.write", "target": project, "data": {"path": path, "content": "1"}}


def hostile_without_limits(server, hostile):
    from commands.secrets import Secrets
    from domain.actor import Role
    from read_api.auth.keys import SigningKeys
    from read_api.auth.tokens import Tokens

    tokens = Tokens(SigningKeys(Secrets.from_base64(server.secret_key())))
    subject = tokens.access(hostile).subject
    return tokens.issue_access(subject, frozenset({Role.USER}), tier=Tier.ENTERPRISE, operator=True)


class Attack:
    """The requests of an attack, sent again and again by several hands until it is stopped."""

    def __init__(self, server, requests, hostile):
        self.statuses = Counter()
        self.largest = 0
        self._ended = threading.Event()
        address = any_address()
        headers = [{"X-Forwarded-For": address}] * HANDS + [{"Authorization": f"Bearer {hostile}"}] * HANDS
        self._threads = [
            threading.Thread(
                target=self._hand, args=(server, requests[n % len(requests) :] + requests, given), daemon=True
            )
            for n, given in enumerate(headers)
        ]

    def _hand(self, server, requests, headers):
        while not self._ended.is_set():
            for request in requests:
                status, received = sent(server, request, headers)
                self.statuses[status] += 1
                self.largest = max(self.largest, received)
                if self._ended.wait(0.05):
                    return

    def run(self, seconds, *, until):
        """Attack for *seconds*, and longer while *until* does not hold."""
        least = time.monotonic() + seconds
        for thread in self._threads:
            thread.start()
        try:
            eventually(lambda: time.monotonic() >= least and until(), seconds=120)
        finally:
            self._ended.set()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_others_notice_nothing_of(name, server, others, quiet, hostile, target):
    attack = Attack(server, list(ATTACKS[name](target)), hostile)
    with others.at_work() as waits:
        attack.run(SECONDS, until=lambda: waits.fewest() >= ANSWERS)
    got = f"the attack got {dict(attack.statuses)}, at most {attack.largest} bytes"
    report = f"{name}: {waits}; quiet: {quiet}; {got}"
    assert waits.failures == [], report
    assert waits.p99(LIVE) <= stretched(LIVE_SECONDS), report
    for kind in (READ, WRITE):
        assert waits.p99(kind) <= 3 * max(quiet.p99(kind), stretched(FLOOR_SECONDS)), report
    assert waits.memory <= MOST_MEMORY, report
    assert 500 not in attack.statuses, report
