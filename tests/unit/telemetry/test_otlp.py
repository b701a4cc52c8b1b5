"""Recording: parents, links, sampling and failures; and exporters that fail or hang."""

import threading
import time

import pytest
import structlog
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

from telemetry import tracing
from telemetry.otlp import NotedExporter, OtlpRecorder
from telemetry.tracing import Kind
from tests.support.spans import OTHER, SAMPLED, UNSAMPLED, links, parent, recording, traceparent
from tests.support.time_scale import stretched


def test_a_span_has_its_parent_kind_attributes_and_beginning():
    with recording() as recorded:
        span = tracing.begin("first", Kind.SERVER, {"codepark.partition": 1}, parent=SAMPLED, began=1_000)
        span.rename("second")
        span.annotate({"codepark.events": 2})
        span.end()
        span.end()  # ends once
        span.annotate({"late": 1})
        span.rename("late")
        span.fail("late")
        (seen,) = recorded.all
    assert (seen.name, seen.kind.name, seen.start_time) == ("second", "SERVER", 1_000)
    assert dict(seen.attributes or {}) == {"codepark.partition": 1, "codepark.events": 2}
    assert (f"{seen.context.trace_id:032x}", parent(seen)) == (SAMPLED[3:35], SAMPLED[36:52])
    assert (span.traceparent, seen.status.status_code) == (traceparent(seen), StatusCode.UNSET)


def test_a_malformed_parent_begins_a_trace_and_a_malformed_link_is_left_out():
    with recording() as recorded:
        tracing.begin("a", parent="00-nonsense", links=["nonsense", OTHER]).end()
        (span,) = recorded.all
    assert parent(span) is None
    assert links(span) == {OTHER[36:52]}


def test_an_exception_marks_a_span_as_failed_by_its_name_alone():
    with recording() as recorded:
        with pytest.raises(ValueError, match="ada@example"), tracing.within(tracing.begin("a")):
            raise ValueError("ada@example.org")
        (span,) = recorded.all
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert span.events == ()


def test_a_trace_that_is_not_sampled_continues_without_a_span():
    with recording() as recorded:
        span = tracing.begin("a", parent=UNSAMPLED)
        assert not span.recorded
        assert span.traceparent[:36] == UNSAMPLED[:36]
        assert span.traceparent.endswith("-00")
        span.end()
        assert recorded.all == ()


def test_a_trace_that_links_a_sampled_one_is_sampled(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    with recording() as recorded:
        tracing.begin("alone").end()
        tracing.begin("of traces that are not sampled", links=[UNSAMPLED]).end()
        tracing.begin("of a sampled one too", links=[UNSAMPLED, SAMPLED]).end()
        assert recorded.names == ["of a sampled one too"]


def test_the_service_has_the_name_that_the_variables_say(monkeypatch):
    def name():
        with recording() as recorded:
            tracing.begin("a").end()
            return recorded.all[0].resource.attributes

    assert name()["service.name"] == "test"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=here")
    named = name()
    assert (named["service.name"], named["deployment.environment.name"]) == ("ours", "here")
    assert named["service.instance.id"]


class Hanging(SpanExporter):
    """Never returns from an export until the test lets it."""

    def __init__(self):
        self.let_go = threading.Event()

    def export(self, _):
        self.let_go.wait(stretched(30))
        return SpanExportResult.FAILURE

    def shutdown(self):
        pass


def test_an_exporter_that_hangs_delays_neither_a_span_nor_the_end():
    exporter = Hanging()
    recorder = OtlpRecorder(BatchSpanProcessor(exporter, schedule_delay_millis=1), "test", "1")
    tracing.switch(recorder)
    try:
        began = time.monotonic()
        for _ in range(5_000):  # more than the queue holds
            tracing.begin("a").end()
        assert time.monotonic() - began < stretched(10)
        with structlog.testing.capture_logs() as lines:
            began = time.monotonic()
            recorder.stop(0.2)
            assert time.monotonic() - began < stretched(5)
        assert [line["event"] for line in lines] == ["the last spans were not exported in time"]
    finally:
        tracing.switch(None)
        exporter.let_go.set()


class Flaky(SpanExporter):
    """Fails as the test says."""

    def __init__(self):
        self.fails = False

    def export(self, _):
        return SpanExportResult.FAILURE if self.fails else SpanExportResult.SUCCESS

    def shutdown(self):
        pass


def test_an_outage_of_the_collector_is_logged_once():
    flaky = Flaky()
    exporter = NotedExporter(flaky)
    with structlog.testing.capture_logs() as lines:
        for fails in (False, True, True, False, False, True):
            flaky.fails = fails
            exporter.export([])
    assert [line["log_level"] for line in lines] == ["warning", "info", "warning"]
