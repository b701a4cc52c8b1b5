"""The span of a request: what it says of it, and what it never says."""

import asyncio

import pytest

from domain.actor import Actor
from read_api.gateway.http_spans import begin_span, describe_span
from telemetry import tracing
from tests.support.spans import OTHER, SAMPLED, UNSAMPLED, parent, recording

PROJECT = "01900000-0000-7000-8000-0000000000aa"
ACCOUNT = "01900000-0000-7000-8000-00000000000a"
ROUTE = "/projects/{project_id}/files/{path}"


class Known:
    """A caller whose token was read."""

    known_account = Actor(id=ACCOUNT).id


def scope(*traceparents, project=PROJECT, **state):
    headers = [(b"traceparent", each.encode()) for each in traceparents]
    headers += [(b"authorization", b"Bearer secret-token"), (b"x-forwarded-for", b"192.0.2.7")]
    params = {"project_id": project, "path": "secret/path.py"}
    return {
        "headers": headers,
        "state": state,
        "path_params": params,
        "path": "/secret",
        "query_string": b"q=1",
    }


def told(about, method="PUT", status=201):
    """Return the span of a request that was answered so."""
    with recording() as recorded:
        span = begin_span(about, method)
        describe_span(span, about, method, status)
        span.end()
        (seen,) = recorded.all
    return seen


def test_a_span_has_the_route_the_status_and_ids():
    span = told(scope(SAMPLED, route=ROUTE, action="file.write", caller=Known()))
    assert (span.name, span.kind.name, parent(span)) == (f"PUT {ROUTE}", "SERVER", SAMPLED[36:52])
    assert dict(span.attributes) == {
        "http.request.method": "PUT",
        "http.route": ROUTE,
        "http.response.status_code": 201,
        "codepark.action": "file.write",
        "codepark.account.id": ACCOUNT,
        "codepark.project.id": PROJECT,
    }


def test_what_somebody_wrote_instead_of_an_id_is_left_out():
    span = told(scope(route=ROUTE, project="my secret project"))
    assert "secret" not in span.to_json()
    assert "codepark.project.id" not in span.attributes


@pytest.mark.parametrize("contexts", [(), ("nonsense",), (SAMPLED, OTHER), (SAMPLED[:-3],)])
def test_without_exactly_one_context_a_trace_begins(contexts):
    assert parent(told(scope(*contexts))) is None


def test_an_unknown_method_is_not_repeated():
    span = told(scope(), method="SECRET", status=405)
    assert (span.name, span.attributes["http.request.method"]) == ("_OTHER", "_OTHER")


def test_a_fault_of_ours_is_an_error_and_a_refusal_is_none():
    assert told(scope(), status=503).attributes["error.type"] == "503"
    assert "error.type" not in told(scope(), status=404).attributes
    assert "http.response.status_code" not in told(scope(), status=0).attributes


def test_a_trace_that_its_caller_does_not_sample_has_no_span():
    with recording() as recorded:
        about = scope(UNSAMPLED)
        span = begin_span(about, "GET")
        describe_span(span, about, "GET", 200)
        span.end()
        assert recorded.all == ()
    assert span.traceparent.startswith(UNSAMPLED[:35])


def test_while_traces_are_off_there_is_none():
    assert begin_span(scope(SAMPLED), "GET") is tracing.NONE


def test_requests_that_run_together_have_their_own_spans():
    async def request(context):
        with tracing.within(begin_span(scope(context), "GET")):
            await asyncio.sleep(0)
            return tracing.current().traceparent

    async def both():
        return await asyncio.gather(request(SAMPLED), request(OTHER))

    with recording():
        first, second = asyncio.run(both())
    assert (first[3:35], second[3:35]) == (SAMPLED[3:35], OTHER[3:35])
