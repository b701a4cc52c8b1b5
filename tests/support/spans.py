"""Record traces in this process, for a test that looks at its spans."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry import tracing
from telemetry.otlp import OtlpRecorder

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"
UNSAMPLED = "00-2af7651916cd43dd8448eb211c80319c-d7ad6b7169203331-00"


class Recorded:
    """The spans that have ended."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        """The names in the order in which the spans have ended."""
        return [span.name for span in self.all]

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


def traceparent(span: ReadableSpan) -> str:
    """Return the context of *span*."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def parent(span: ReadableSpan) -> str | None:
    """Return the id of the span above *span*, None where it begins a trace."""
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def links(span: ReadableSpan) -> set[str]:
    """Return the ids of the spans that *span* links."""
    return {f"{link.context.span_id:016x}" for link in span.links}


@contextmanager
def recording() -> Iterator[Recorded]:
    """Record what this process does in a block."""
    exporter = InMemorySpanExporter()
    recorder = OtlpRecorder(SimpleSpanProcessor(exporter), "test", "1")
    tracing.switch(recorder)
    try:
        yield Recorded(exporter)
    finally:
        tracing.switch(None)
        recorder.stop(1)
