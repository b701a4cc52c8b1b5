"""What a server measures, as Prometheus reads it."""

from collections.abc import Mapping

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from tests.support.people import Person, made, refused
from tests.support.server import Server, eventually

PROJECTS = "/api/v1/projects"
PROJECT = PROJECTS + "/{project_id:str}"


def figures(client: httpx.Client) -> Mapping[tuple[str, ...], float]:
    """Return the value of each sample, by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def test_a_command_and_a_query_are_measured(ada: Person, anybody: httpx.Client) -> None:
    before = figures(anybody)
    project = made(ada.client.post(PROJECTS, json={"name": "measured"}))
    made(ada.client.get(f"{PROJECTS}/{project['id']}"), 200)
    made(ada.client.get(f"{PROJECTS}/{project['id']}"), 200)
    refused(ada.client.get(f"{PROJECTS}/nowhere"), 404, "project_not_found")
    after = figures(anybody)

    def more(*key: str) -> float:
        return after.get(key, 0.0) - before.get(key, 0.0)

    assert more("http_requests_total", "POST", PROJECTS, "201") == 1
    assert more("http_request_duration_seconds_count", "GET", PROJECT, "200") == 2
    assert more("http_request_duration_seconds_count", "GET", PROJECT, "404") == 1
    assert more("codepark_append_seconds_count") >= 1
    assert more("codepark_append_events_sum") >= 1
    assert more("codepark_cached_answers_total", "memory") >= 1
    eventually(lambda: figures(anybody)[("codepark_event_loop_lag_seconds_count",)] > 0)


def test_sign_ins_are_counted_by_their_outcome(ada: Person, anybody: httpx.Client) -> None:
    before = figures(anybody)
    wrong = {"email": ada.email, "password": "not the password"}
    refused(anybody.post("/api/v1/auth/login", json=wrong), 401, "invalid_credentials")
    after = figures(anybody)
    key = ("codepark_sign_ins_total", "refused")
    assert after[key] - before.get(key, 0.0) == 1


def test_the_format_is_that_which_is_asked_for(server: Server) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = server.raw("GET", "/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert {"http_requests", "codepark_append_seconds"} <= {
        family.name for family in open_metrics(answer.content.decode())
    }
    assert server.raw("GET", "/metrics").headers["content-type"].startswith("text/plain")
