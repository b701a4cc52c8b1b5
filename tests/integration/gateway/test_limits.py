"""The limits over HTTP: what each tier may, what is not counted, and what a refusal says."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from domain.actor import Tier
from tests.support.limited import any_address, from_address, somebody, statuses, until_refused
from tests.support.people import refused
from tests.support.server import eventually

pytestmark = pytest.mark.integration
RATELIMIT = re.compile(r'"([a-z-]+)";r=(\d+);t=(\d+)')


def test_an_anonymous_address_may_send_ten_at_once(limited):
    address = any_address()
    with from_address(limited, address) as client:
        began = time.monotonic()
        *passed, late = until_refused(lambda: client.get("/api/v1/projects"))
        seconds = time.monotonic() - began
        assert {answer.status_code for answer in passed} == {200}
        assert 10 <= len(passed) <= 10 + seconds + 1
        problem = refused(late, 429, "rate_limited")
        assert late.headers["retry-after"] == "1"
        assert late.headers["ratelimit-policy"] == '"default";q=60;w=60'
        assert RATELIMIT.fullmatch(late.headers["ratelimit"]).groups()[:2] == ("default", "0")
        assert "60 requests a minute" in problem["detail"]
    assert statuses(from_address(limited), 1) == [200], "another address has a bucket of its own"


def test_each_answer_says_how_many_requests_are_left(limited):
    with from_address(limited) as client:
        began = time.monotonic()
        headers = [RATELIMIT.fullmatch(client.get("/api/v1/projects").headers["ratelimit"]) for _ in range(3)]
        seconds = time.monotonic() - began  # one comes back in each
        for header, left in zip(headers, (9, 8, 7), strict=True):
            assert left <= int(header[2]) <= min(left + seconds, 9)
        assert client.get("/api/v1/projects/none").headers["ratelimit"], "a refusal tells it too"


@pytest.mark.parametrize(("tier", "burst", "rate"), [(Tier.FREE, 30, 5), (Tier.PRO, 100, 20)])
def test_an_account_may_send_what_its_tier_says_wherever_it_comes_from(limited, tier, burst, rate):
    token = somebody(limited, tier)
    began = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        parts = list(pool.map(lambda _: statuses(from_address(limited, token=token), 50), range(5)))
    seconds = time.monotonic() - began
    passed = sum(status == httpx.codes.OK for part in parts for status in part)
    assert {status for part in parts for status in part} <= {200, 429}
    assert burst <= passed <= burst + seconds * rate + 1


def test_the_enterprise_tier_has_no_rate(limited):
    with from_address(limited, token=limited.token()) as client:
        answers = [client.get("/api/v1/projects") for _ in range(150)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[-1].headers["ratelimit"] == '"default";r=499'
    assert answers[-1].headers["ratelimit-policy"] == '"default";q=500;qu="concurrent-requests"'


def test_a_token_of_the_command_line_takes_the_tier_that_it_is_given(limited):
    with from_address(limited, token=limited.token("--tier", "free")) as client:
        assert client.get("/api/v1/projects").headers["ratelimit-policy"] == '"default";q=300;w=60'


def test_signing_in_has_a_bucket_of_its_own(limited):
    with from_address(limited) as client:
        began = time.monotonic()
        *passed, late = until_refused(lambda: client.post("/api/v1/auth/login", json={}))
        seconds = time.monotonic() - began
        assert {answer.status_code for answer in passed} == {400}
        assert 20 <= len(passed) <= 20 + seconds / 2 + 1
        refused(late, 429, "rate_limited")
        assert late.headers["ratelimit-policy"] == '"sign-in";q=30;w=60'
        assert int(late.headers["retry-after"]) in (1, 2)
        assert client.get("/api/v1/projects").status_code == 200


def test_a_token_that_is_not_valid_is_counted(limited):
    with from_address(limited, token="none") as client:
        *passed, _ = until_refused(lambda: client.get("/api/v1/projects"))
    assert [answer.status_code for answer in passed[:10]] == [401] * 10


@pytest.mark.parametrize(
    "path", ["/health/live", "/metrics", "/", "/docs", "/assets/app.js", "/schema/openapi.json"]
)
def test_what_is_not_counted(limited, path):
    with from_address(limited) as client:
        answers = [client.get(path) for _ in range(15)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[-1].headers


def test_limits_can_be_switched_off(tmp_path):
    from tests.support.server import serving

    with serving(tmp_path / "data", {"CODEPARK_SIGN_IN_LIMITS": "on"}) as server, server.client() as client:
        answers = [client.get("/api/v1/projects") for _ in range(30)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[0].headers
        # The tiers' limits are off, that of signing in is not.
        until_refused(lambda: client.post("/api/v1/auth/login", json={}))


def test_the_sixth_stream_of_an_address_is_refused_until_one_ends(limited):
    address = any_address()
    with ExitStack() as stack:
        client = stack.enter_context(from_address(limited, address))

        def stream(within):
            return within.enter_context(client.stream("GET", "/api/v1/events/stream"))

        assert [stream(stack).status_code for _ in range(4)] == [200] * 4
        with ExitStack() as fifth:
            assert stream(fifth).status_code == 200
            with client.stream("GET", "/api/v1/events/stream") as sixth:
                assert sixth.status_code == 429
                assert sixth.headers["retry-after"]
                sixth.read()
                assert sixth.json()["code"] == "too_many_sockets"

        def freed():
            with client.stream("GET", "/api/v1/events/stream") as again:
                return again.status_code == httpx.codes.OK

        eventually(freed)


def test_the_refused_are_counted_in_the_metrics(limited):
    def count():
        text = httpx.get(f"{limited.url}/metrics").text
        return float(re.search(r'codepark_limits_refused_total\{limit="default"\} (\S+)', text)[1])

    before = count()
    with from_address(limited) as client:
        until_refused(lambda: client.get("/api/v1/projects"))
    assert count() >= before + 1


def creations(count):
    """Return a batch of *count* commands."""
    return {"commands": [{"type": "project.create", "data": {"name": f"p{n}"}} for n in range(count)]}


def test_a_batch_counts_as_many_requests_as_it_has_commands(limited):
    """A free account may send 30 at once: two batches of eleven, and not a third one."""
    with from_address(limited, token=somebody(limited, Tier.FREE)) as client:
        began = time.monotonic()
        *passed, late = until_refused(lambda: client.post("/api/v1/commands", json=creations(11)))
        seconds = time.monotonic() - began
        assert {answer.status_code for answer in passed} == {200}
        assert 2 <= len(passed) <= 2 + seconds * 5 / 11 + 1
        problem = refused(late, 429, "rate_limited")
        assert "this one counts as 11" in problem["detail"]
        assert int(late.headers["retry-after"]) >= 1


def test_a_batch_larger_than_the_burst_passes_once_and_is_paid_for_afterwards(limited):
    token = somebody(limited, Tier.FREE)
    with from_address(limited, token=token) as client:
        began = time.monotonic()
        whole = client.post("/api/v1/commands", json=creations(500))
        assert [result["status"] for result in whole.json()["results"]] == ["accepted"] * 500
        late = client.get("/api/v1/projects")
        refused(late, 429, "rate_limited")
        paid = (500 - 29) / 5 - (time.monotonic() - began)
        assert paid - 1 <= int(late.headers["retry-after"]) <= 95
    assert statuses(from_address(limited, token=somebody(limited, Tier.FREE)), 1) == [200]


def commits(project, changes):
    """Return the three ways to send a commit that changes so many files."""
    files = [{"path": f"{n}", "status": "D"} for n in range(changes)]
    data = {"message": "m", "author": {"name": "A"}, "authoredAt": "2024-01-31T12:00:00Z", "changes": files}
    named = {**data, "changes": [{**file, "status": "DELETED"} for file in files]}
    record = f'recordCommit(projectId: "{project}", input: $c) {{ version }}'
    return (
        (f"/api/v1/projects/{project}/commits", data),
        ("/api/v1/commands", {"commands": [{"type": "commit.record", "target": project, "data": data}]}),
        ("/graphql", {"query": f"mutation ($c: CommitInput!) {{ {record} }}", "variables": {"c": named}}),
    )


@pytest.mark.parametrize("way", range(3))
def test_a_commit_counts_as_a_request_for_each_hundred_changes(limited, way):
    with from_address(limited, token=somebody(limited, Tier.FREE)) as client:
        project = client.post("/api/v1/projects", json={"name": "p"}).json()["id"]
        path, body = commits(project, 1_901)[way]
        passed = client.post(path, json=body)
        assert passed.is_success, passed.text
        assert "errors" not in passed.json(), passed.text
        left = int(RATELIMIT.fullmatch(passed.headers["ratelimit"])[2])
        assert left <= 30 - 19, "it counts as 20 of 30, of which the first may have come back meanwhile"


def test_several_mutations_count_as_several_requests(limited):
    text = " ".join(f'a{n}: createProject(input: {{name: "p"}}) {{ version }}' for n in range(10))
    spread = "mutation { ...all } fragment all on Mutation { " + text + " }"
    with from_address(limited, token=somebody(limited, Tier.FREE)) as client:
        began = time.monotonic()
        *passed, late = until_refused(lambda: client.post("/graphql", json={"query": spread}))
        seconds = time.monotonic() - began
        assert all("errors" not in answer.json() for answer in passed)
        assert 3 <= len(passed) <= 3 + seconds * 5 / 10 + 1
        assert late.json()["errors"][0]["extensions"]["code"] == "rate_limited"


def test_five_tabs_of_a_project_s_page_are_within_what_an_address_may_send_at_once(limited):
    """The page asks for the project and its timeline; the rest follows while somebody looks at it."""
    with from_address(limited, token=limited.token()) as owner:
        project = owner.post("/api/v1/projects", json={"name": "p", "visibility": "public"}).json()["id"]
    path = f"/api/v1/projects/{project}"
    with from_address(limited) as client:
        answers = [client.get(path + part) for _ in range(5) for part in ("", "/timeline")]
        assert [answer.status_code for answer in answers] == [200] * 10
        *_, late = until_refused(lambda: client.get(path))
        assert late.headers["retry-after"] == "1", "the page asks again after that, and shows no error"


def test_an_account_gives_feedback_ten_times_at_once(limited):
    key = {"Idempotency-Key": "first"}

    def give(client, **headers):
        return client.post("/api/v1/feedback", json={"message": "m"}, headers=headers)

    with from_address(limited, token=somebody(limited, Tier.PRO)) as client:
        first = give(client, **key)
        assert first.headers["ratelimit-policy"] == '"feedback";q=10;w=3600'
        assert [give(client).status_code for _ in range(9)] == [204] * 9
        late = give(client)
        problem = refused(late, 429, "rate_limited")
        assert "10 requests an hour" in problem["detail"]
        assert 1 <= int(late.headers["retry-after"]) <= 360
        assert give(client, **key).status_code == 204, "a retry is no further message"
        command = {"type": "feedback.give", "data": {"message": "m"}}
        batch = client.post("/api/v1/commands", json={"commands": [command]}).json()["results"]
        assert [(each["status"], each["problem"]["code"]) for each in batch] == [("refused", "rate_limited")]
        query = {"query": 'mutation { giveFeedback(input: {message: "m"}) { version } }'}
        (error,) = client.post("/graphql", json=query).json()["errors"]
        assert error["extensions"]["code"] == "rate_limited"
    with from_address(limited, token=somebody(limited, Tier.PRO)) as other:
        assert give(other).status_code == 204
