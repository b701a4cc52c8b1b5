"""The spans of live frames: the last part of the trace of an event."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from domain.times import system_clock
from read_api.realtime.events import RenderedEvent
from read_api.realtime.hub import Hub
from telemetry import tracing
from telemetry.tracing import Kind

_RECENT_MILLISECONDS = 60_000
"""An event that is older is sent to somebody who reads the history, long after its trace."""


@contextmanager
def sending(hub: Hub, channel: str, events: Sequence[RenderedEvent]) -> Iterator[None]:
    """Send *events* to a subscriber in a block; of each, the first frame of a kind of *channel* has a span.

    A thousand subscribers would otherwise make a thousand spans of one event.
    """
    if not tracing.enabled():
        yield
        return
    spans = [_begin(hub, channel, event) for event in events if _is_traced(hub, channel, event)]
    try:
        yield
    finally:
        for span in spans:
            span.end()


def _is_traced(hub: Hub, channel: str, event: RenderedEvent) -> bool:
    return (
        tracing.sampled(event.traceparent)
        and system_clock() - event.occurred_at < _RECENT_MILLISECONDS
        and hub.is_first(channel, event.home, event.sequence)
    )


def _begin(hub: Hub, channel: str, event: RenderedEvent) -> tracing.Span:
    attributes: dict[str, str | int] = {
        "codepark.channel": channel,
        "codepark.event": event.topic,
        "codepark.partition": hub.number_of(event.home),
    }
    return tracing.begin("send event", Kind.PRODUCER, attributes, parent=event.traceparent)
