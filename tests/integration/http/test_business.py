"""The figures of the business: over REST, GraphQL and the metrics, in both profiles."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.people import Person, made, refused
from tests.support.server import Server, serving

PATH = "/api/v1/metrics/business"
QUERY = """query($from: String, $until: String) {
  businessFigures(from: $from, until: $until) {
    byDay {
      day activePeople projectsCreated commitsRecorded reviewsOpened reviewsDecided builds suggestionsAccepted
    }
    byMonth { month activePeople }
  }
}"""


def today() -> dict[str, str]:
    """Return the range of yesterday and today: a test may run at midnight."""
    now = datetime.now(UTC).date()
    return {"from": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}


def sums(admin: httpx.Client, span: dict[str, str], after: str) -> dict[str, int]:
    figures = made(admin.get(PATH, params=span, headers={"CodePark-After": after}), 200)
    names = set(figures["byDay"][0]) - {"day"}
    return {name: sum(day[name] for day in figures["byDay"]) for name in names}


def test_what_people_do_is_counted(admin: httpx.Client, new_person) -> None:
    people, span = [new_person() for _ in range(2)], today()
    start = people[1].client.post("/api/v1/projects", json={"name": "p", "visibility": "public"})
    before = sums(admin, span, start.headers["codepark-position"])
    owner: Person = people[0]
    project = made(owner.client.post("/api/v1/projects", json={"name": "p", "visibility": "public"}))["id"]
    path = f"/api/v1/projects/{project}"
    commit = {
        "message": "m",
        "author": {"name": "a", "email": "a@example.org"},
        "authoredAt": "2020-01-02T03:04:05Z",
        "changes": [],
    }
    made(owner.client.post(f"{path}/commits", json=commit))
    review = made(owner.client.post(f"{path}/reviews", json={"title": "t"}))["id"]
    made(owner.client.put(f"{path}/collaborators/{people[1].id}", json={"role": "maintainer"}), 200)
    decision = f"{path}/reviews/{review}/decision"
    made(people[1].client.post(decision, json={"decision": "approved", "text": ""}), 200)
    built = owner.client.post(f"{path}/builds", json={"name": "b"})
    after = sums(admin, span, built.headers["codepark-position"])
    gained = {name: after[name] - before[name] for name in after}
    assert gained == {
        "activePeople": 0,  # both had signed in before
        "projectsCreated": 1,
        "commitsRecorded": 1,
        "reviewsOpened": 1,
        "reviewsDecided": 1,
        "builds": 1,
        "suggestionsAccepted": 0,
    }
    assert after["activePeople"] >= 2
    answer = made(admin.post("/graphql", json={"query": QUERY, "variables": span}), 200)
    figures = made(admin.get(PATH, params=span), 200)
    assert answer["data"]["businessFigures"] == figures
    assert figures["byMonth"][-1]["activePeople"] >= figures["byDay"][-1]["activePeople"]


def test_an_erased_person_still_counts_and_is_named_nowhere(admin: httpx.Client, new_person) -> None:
    person, span = new_person(), today()
    project = person.client.post("/api/v1/projects", json={"name": "p"})
    before = sums(admin, span, project.headers["codepark-position"])
    erased = person.client.delete("/api/v1/me")
    assert erased.status_code == httpx.codes.NO_CONTENT
    after = sums(admin, span, erased.headers["codepark-position"])
    assert after["activePeople"] >= before["activePeople"]


def test_only_administrators_see_them(ada: Person, anybody: httpx.Client) -> None:
    refused(anybody.get(PATH), 401, "authentication_required")
    refused(ada.client.get(PATH), 403, "role_required")
    answer = ada.client.post("/graphql", json={"query": "{ businessFigures { byMonth { month } } }"}).json()
    assert answer["errors"][0]["extensions"]["code"] == "role_required"


@pytest.mark.parametrize(
    "span",
    [
        {"from": "2026-01-02", "until": "2026-01-01"},
        {"from": "2025-01-01", "until": "2026-01-02"},
        {"from": "20260101xx"},
        {"from": "2026-02-30"},
        {"until": "0001-01-02"},
        {"day": "2026-01-01"},
    ],
)
def test_a_range_that_is_none_is_refused(admin: httpx.Client, span: dict[str, str]) -> None:
    assert admin.get(PATH, params=span).is_client_error


def test_a_year_is_shown_at_most(admin: httpx.Client) -> None:
    figures = made(admin.get(PATH, params={"from": "2024-01-01", "until": "2024-12-31"}), 200)
    assert (len(figures["byDay"]), len(figures["byMonth"])) == (366, 12)
    assert len(made(admin.get(PATH), 200)["byDay"]) == 30


def business(answer: httpx.Response) -> dict[str, float]:
    assert answer.status_code == httpx.codes.OK
    lines = re.findall(r"^(codepark_business\S*) (\S+)$", answer.text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def test_the_metrics_have_those_of_today_for_this_machine(server: Server, new_person) -> None:
    new_person()
    with server.client() as client:
        shown = business(client.get("/metrics"))
        assert shown['codepark_business_active_people{period="day"}'] >= 1
        month = shown['codepark_business_active_people{period="month"}']
        assert month >= shown['codepark_business_active_people{period="day"}']
        assert "codepark_business_commits_recorded" in shown
        assert business(client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})) == {}


def test_from_elsewhere_they_need_the_token(tmp_path) -> None:
    token = "a token of the metrics"
    more = {"CODEPARK_METRICS_TOKEN": token, "CODEPARK_TRUSTED_PROXIES": "127.0.0.1"}
    with serving(tmp_path / "data", more) as server, server.client() as client:
        client.headers["X-Forwarded-For"] = "203.0.113.9"
        for sent in ({}, {"Authorization": "Bearer x"}, {"Authorization": token}):
            answer = client.get("/metrics", headers=sent)
            assert business(answer) == {}
            assert "codepark_log_sequence" in answer.text
        assert business(client.get("/metrics", headers={"Authorization": f"Bearer {token}"}))
