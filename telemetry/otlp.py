"""Record spans with OpenTelemetry, and export them by OTLP; its standard variables have the settings."""

import logging
import threading
from collections.abc import Sequence
from uuid import uuid4

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan
from opentelemetry.util.types import Attributes as SdkAttributes

from telemetry.tracing import TRACEPARENT, Attributes, Kind, Span

_KINDS = {kind: SpanKind[kind.name] for kind in Kind}
_FAILED = Status(StatusCode.ERROR)
_NOWHERE = Context()

logger = structlog.get_logger(__name__)


class RecordedSpan(Span):
    """A span that is exported when it has ended."""

    __slots__ = ("_ended", "_span")

    def __init__(self, span: SdkSpan, traceparent: str) -> None:
        """Record into *span*."""
        super().__init__(traceparent)
        self._span = span
        self._ended = False

    @property
    def recorded(self) -> bool:
        """Return whether the span has not ended."""
        return not self._ended

    def rename(self, name: str) -> None:
        """Give the span its final name."""
        if not self._ended:
            self._span.update_name(name)

    def annotate(self, attributes: Attributes) -> None:
        """Add *attributes*."""
        if not self._ended:
            self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        """Mark the span as failed; the text of an exception might be personal, so there is none."""
        if not self._ended:
            self._span.set_attribute("error.type", reason)
            self._span.set_status(_FAILED)

    def end(self) -> None:
        """End the span now, if it has not ended yet."""
        if not self._ended:
            self._ended = True
            self._span.end()


class OtlpRecorder:
    """Records spans for a processor that exports them in a thread of its own."""

    def __init__(self, processor: SpanProcessor, service: str, version: str) -> None:
        """Record as *service*, unless the variables name another one; sample as they say."""
        detected = Resource.create({"service.version": version, "service.instance.id": str(uuid4())})
        named = Resource({"service.name": service})
        unnamed = str(detected.attributes.get("service.name", "")).startswith("unknown_service")
        self._provider = TracerProvider(
            resource=detected.merge(named) if unnamed else detected, shutdown_on_exit=False
        )
        self._provider.sampler = _LinkedSampler(self._provider.sampler)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("codepark", version)

    def begin(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes | None,
        parent: str | None,
        links: Sequence[str],
        began: int | None,
    ) -> Span:
        """Return a new span, which is recorded where the sampler wants its trace."""
        linked = [Link(known) for each in links if (known := _context_of(each)) is not None]
        above = None if parent is None else _context_of(parent)
        context = _NOWHERE if above is None else set_span_in_context(NonRecordingSpan(above), _NOWHERE)
        span = self._tracer.start_span(
            name, context, kind=_KINDS[kind], attributes=attributes, links=linked, start_time=began
        )
        traceparent = _traceparent_of(span.get_span_context())
        return RecordedSpan(span, traceparent) if span.is_recording() else Span(traceparent)

    def stop(self, seconds: float) -> None:
        """Export what is left, for up to *seconds*: a collector that does not answer delays no end longer."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(seconds)
        if ending.is_alive():
            logger.warning("the last spans were not exported in time", seconds=seconds)


def exporting_recorder(service: str, version: str) -> OtlpRecorder:
    """Return what exports to the collector that the variables name; its queue is bounded."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a line for each try; ours has one
    return OtlpRecorder(BatchSpanProcessor(NotedExporter(OTLPSpanExporter())), service, version)


class NotedExporter(SpanExporter):
    """An exporter whose outages are logged once each; the spans of an outage are lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Export with *exporter*."""
        self._exporter = exporter
        self._failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export *spans*, and log where the collector begins to fail or to work again."""
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failed:
            logger.warning("the collector of traces does not take spans, which are lost meanwhile")
        elif self._failed and not failed:
            logger.info("the collector of traces takes spans again")
        self._failed = failed
        return result

    def shutdown(self) -> None:
        """Take no more spans."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return whether everything was exported: the exporter keeps nothing back."""
        return self._exporter.force_flush(timeout_millis)


class _LinkedSampler(Sampler):
    """Sample a trace that begins with links to a sampled one; else do as another sampler does.

    A batch of several requests would otherwise be left out of most traces that it belongs to.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: SdkAttributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        begins = not get_current_span(parent_context).get_span_context().is_valid
        linked = begins and any(link.context.trace_flags.sampled for link in links or ())
        sampler = ALWAYS_ON if linked else self._sampler
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"Linked({self._sampler.get_description()})"


def _context_of(traceparent: str) -> SpanContext | None:
    if not TRACEPARENT.fullmatch(traceparent):
        return None
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _traceparent_of(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
