"""Record spans with OpenTelemetry, and export them by OTLP; its standard variables have the settings."""

import logging
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from uuid import uuid4

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from telemetry.tracing import TRACEPARENT, Attributes, Kind, Span

_KINDS = {kind: SpanKind[kind.name] for kind in Kind}
_PARTS = frozenset({Kind.INTERNAL, Kind.CLIENT})
_UNSET, _FAILED = Status(StatusCode.UNSET), Status(StatusCode.ERROR)
_UNSAMPLED, _SAMPLED = TraceFlags(TraceFlags.DEFAULT), TraceFlags(TraceFlags.SAMPLED)
_MOST_LINKS = 128
"""The limit of OpenTelemetry's specification."""
_NOWHERE = Context()

logger = structlog.get_logger(__name__)


class RecordedSpan(Span):
    """A span that is exported when it has ended.

    The library's own span keeps a lock, bounded copies and more, which costs twice as much: what a span
    needs until it ends is a few values.
    """

    __slots__ = (
        "_attributes",
        "_began",
        "_context",
        "_kind",
        "_links",
        "_name",
        "_parent",
        "_recorder",
        "_status",
    )

    def __init__(
        self,
        recorder: "OtlpRecorder",
        name: str,
        kind: Kind,
        attributes: Attributes | None,
        context: SpanContext,
        parent: SpanContext | None,
        links: Sequence[Link],
        began: int | None,
    ) -> None:
        """Begin at *began*, by default now; *recorder* takes the span at its end."""
        super().__init__(_traceparent_of(context))
        self._recorder: OtlpRecorder | None = recorder
        self._name = name
        self._kind = kind
        self._attributes = {} if attributes is None else dict(attributes)
        self._context = context
        self._parent = parent
        self._links = links
        self._status = _UNSET
        self._began = time.time_ns() if began is None else began

    @property
    def recorded(self) -> bool:
        """Return whether the span has not ended."""
        return self._recorder is not None

    def rename(self, name: str) -> None:
        """Give the span its final name."""
        self._name = name

    def annotate(self, attributes: Attributes) -> None:
        """Add *attributes*."""
        self._attributes.update(attributes)

    def fail(self, reason: str) -> None:
        """Mark the span as failed; the text of an exception might be personal, so there is none."""
        self._attributes["error.type"] = reason
        self._status = _FAILED

    def end(self) -> None:
        """End the span now, if it has not ended yet."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.take(self, time.time_ns())

    def finished(self, resource: Resource, scope: InstrumentationScope, ended: int) -> ReadableSpan:
        """Return the span as exporters read it; what is added to it later does not change that."""
        return ReadableSpan(
            name=self._name,
            context=self._context,
            parent=self._parent,
            resource=resource,
            attributes=dict(self._attributes),
            links=self._links,
            kind=_KINDS[self._kind],
            status=self._status,
            start_time=self._began,
            end_time=ended,
            instrumentation_scope=scope,
        )


class OtlpRecorder:
    """Records spans for a processor that exports them in a thread of its own."""

    def __init__(self, processor: SpanProcessor, service: str, version: str) -> None:
        """Record as *service*, unless the variables name another one; sample as they say."""
        detected = Resource.create({"service.version": version, "service.instance.id": str(uuid4())})
        named = Resource({"service.name": service})
        unnamed = str(detected.attributes.get("service.name", "")).startswith("unknown_service")
        provider = TracerProvider(
            resource=detected.merge(named) if unnamed else detected, shutdown_on_exit=False
        )
        self._resource = provider.resource
        self._sampler = provider.sampler
        self._ids = provider.id_generator
        self._scope = InstrumentationScope("codepark", version)
        self._processor = processor

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
        above = None if parent is None else _context_of(parent)
        linked = [Link(known) for each in links[-_MOST_LINKS:] if (known := _context_of(each)) is not None]
        trace = self._ids.generate_trace_id() if above is None else above.trace_id
        context = SpanContext(
            trace,
            self._ids.generate_span_id(),
            is_remote=False,
            trace_flags=self._flags(trace, above, kind, linked),
        )
        if not context.trace_flags.sampled:
            return Span(_traceparent_of(context))
        return RecordedSpan(self, name, kind, attributes, context, above, linked, began)

    def _flags(self, trace: int, above: SpanContext | None, kind: Kind, links: Sequence[Link]) -> TraceFlags:
        """Decide whether a span is recorded.

        A trace that begins with links to a sampled one is: a batch of several requests would otherwise be
        left out of most traces that it belongs to. So is a part of a span that is recorded here.
        """
        if above is None:
            if any(link.context.trace_flags.sampled for link in links):
                return _SAMPLED
            parent = _NOWHERE
        elif above.trace_flags.sampled and kind in _PARTS:
            return _SAMPLED
        else:
            parent = set_span_in_context(NonRecordingSpan(above), _NOWHERE)
        decision = self._sampler.should_sample(parent, trace, "", _KINDS[kind]).decision
        return _SAMPLED if decision is Decision.RECORD_AND_SAMPLE else _UNSAMPLED

    def take(self, span: RecordedSpan, ended: int) -> None:
        """Hand *span* to the processor, which waits for nothing."""
        self._processor.on_end(span.finished(self._resource, self._scope, ended))

    def stop(self, seconds: float) -> None:
        """Export what is left, for up to *seconds*: a collector that does not answer delays no end longer."""
        ending = threading.Thread(target=self._processor.shutdown, name="traces", daemon=True)
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


@lru_cache(maxsize=1024)
def _context_of(traceparent: str) -> SpanContext | None:
    if not TRACEPARENT.fullmatch(traceparent):
        return None
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _traceparent_of(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
