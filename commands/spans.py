"""The spans of a batch of commands: what its callers see of it in their own traces.

Commands of several requests are decided and appended together. Each request's trace has a span `decide` and a
span `append` of its own, over the same time; the span `append batch`, a trace of its own, links those of all
(OpenTelemetry's conventions for messaging: one span creates each message, another one sends them). The events
of a command carry the context of its own span `append`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from commands.log import CommandEvents
from commands.outcomes import Submission
from telemetry import tracing
from telemetry.tracing import Kind, Span

SQLITE: Mapping[str, str | int] = {"db.system.name": "sqlite"}
KAFKA: Mapping[str, str | int] = {"messaging.system": "kafka", "messaging.operation.type": "send"}


@contextmanager
def deciding(submissions: Sequence[Submission], partition: int) -> Iterator[None]:
    """Decide *submissions* in a block: one span in the trace of each request."""
    counts = _by_context([each.traceparent for each in submissions])
    spans = [
        tracing.begin("decide", attributes=_attributes(partition, commands=count), parent=context)
        for context, count in counts.items()
    ]
    with _ended(spans):
        yield


@contextmanager
def appending(
    commands: Sequence[CommandEvents], partition: int, log: Mapping[str, str | int]
) -> Iterator[Sequence[CommandEvents]]:
    """Append *commands* in a block, in the form that it gets: with the contexts of their own spans.

    *log* are attributes that say what kind of log it is.
    """
    counts = _by_context([each.traceparent for each in commands])
    if not counts:
        yield commands
        return
    spans = {
        context: tracing.begin(
            "append", Kind.PRODUCER, {**log, **_attributes(partition, commands=count)}, parent=context
        )
        for context, count in counts.items()
    }
    carried = [
        each
        if each.traceparent not in spans
        else replace(each, traceparent=spans[each.traceparent].traceparent)
        for each in commands
    ]
    with _ended(list(spans.values())), tracing.within(_together(list(spans.values()), partition, log)):
        yield carried


def _together(spans: Sequence[Span], partition: int, log: Mapping[str, str | int]) -> Span:
    """Return the span that *spans* have in common: of a single one itself."""
    if len(spans) == 1:
        return spans[0]
    links = [span.traceparent for span in spans if span.traceparent is not None]
    return tracing.follow(
        links, "append batch", Kind.CLIENT, {**log, **_attributes(partition, requests=len(spans))}
    )


def _by_context(traceparents: Sequence[str | None]) -> Mapping[str, int]:
    """Return how many commands each trace that is sampled has here."""
    contexts = tracing.distinct(traceparents)
    counted = Counter(traceparents) if contexts else {}
    return {context: counted[context] for context in contexts}


def _attributes(partition: int, **counts: int) -> dict[str, str | int]:
    return {"codepark.partition": partition, **{f"codepark.{name}": count for name, count in counts.items()}}


@contextmanager
def _ended(spans: Sequence[Span]) -> Iterator[None]:
    """End *spans* with a block; an exception marks them as failed."""
    try:
        yield
    except BaseException as error:
        for span in spans:
            span.fail(type(error).__name__)
        raise
    finally:
        for span in spans:
            span.end()
