"""Traces: spans of what a process does, each with what caused it; while they are off, nothing is made.

A context travels between threads, processes and events as the text of a `traceparent` (W3C Trace Context).
Attributes are ids, counts and words of this program: never a name, an address, a path, a text or a query.
`telemetry.otlp` alone imports OpenTelemetry.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar, Token
from enum import Enum, auto
from types import TracebackType
from typing import Any, Final, Protocol

TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_ODD = frozenset("13579bdf")
_TRACE_END = 35

Attributes = Mapping[str, str | int]


class Kind(Enum):
    """The kinds of spans that OpenTelemetry has."""

    INTERNAL = auto()
    SERVER = auto()
    CLIENT = auto()
    PRODUCER = auto()
    CONSUMER = auto()


class Span:
    """A span that is not recorded: of a trace that is not sampled, or of none."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str | None = None) -> None:
        """Stand for the span *traceparent* of a trace that is not sampled."""
        self.traceparent = traceparent

    @property
    def recorded(self) -> bool:
        """Return whether the span is recorded and has not ended."""
        return False

    def rename(self, name: str) -> None:
        """Give the span its final name."""

    def annotate(self, attributes: Attributes) -> None:
        """Add *attributes*."""

    def fail(self, reason: str) -> None:
        """Mark the span as failed; *reason* is a word of this program or the name of an exception."""

    def end(self) -> None:
        """End the span now, if it has not ended yet."""


NONE: Final = Span()
"""No span at all."""


class Recorder(Protocol):
    """Records spans and exports them."""

    def begin(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes | None,
        parent: str | None,
        links: Sequence[str],
        began: int | None,
    ) -> Span:
        """Return a new span; see `begin`."""
        ...

    def stop(self, seconds: float) -> None:
        """Export what is left, for up to *seconds*."""
        ...


class _Switch:
    """The recorder of this process, None while traces are off."""

    recorder: Recorder | None = None


_current: ContextVar[Span] = ContextVar("span", default=NONE)


def switch(recorder: Recorder | None) -> None:
    """Record with *recorder* from now on, with None not at all."""
    _Switch.recorder = recorder


def enabled() -> bool:
    """Return whether this process records traces."""
    return _Switch.recorder is not None


def current() -> Span:
    """Return the span that this task or thread works in; one that is not recorded, where there is none."""
    return _current.get()


def begin(
    name: str,
    kind: Kind = Kind.INTERNAL,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
    began: int | None = None,
) -> Span:
    """Begin a span as a child of *parent*, without one as a new trace; its owner has to end it.

    *links* are other contexts that led to it. *began* is when it began, in nanoseconds since 1970, by default
    now.
    """
    recorder = _Switch.recorder
    return NONE if recorder is None else recorder.begin(name, kind, attributes, parent, links, began)


def follow(
    contexts: Sequence[str],
    name: str,
    kind: Kind,
    attributes: Attributes | None = None,
    *,
    began: int | None = None,
) -> Span:
    """Begin the span of work that *contexts* caused, in their trace; of several, in one that links them.

    Without contexts there is no span.
    """
    if not contexts:
        return NONE
    first, *others = contexts
    if all(each[:_TRACE_END] == first[:_TRACE_END] for each in others):
        return begin(name, kind, attributes, parent=first, links=others, began=began)
    return begin(name, kind, attributes, links=contexts, began=began)


class within:  # noqa: N801 # a context manager, used like a function
    """Work in a span, which ends with the block; an exception marks it as failed."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        """Make *span* the current one for a block."""
        self._span = span
        self._token: Token[Span] | None = None

    def __enter__(self) -> Span:
        """Return the span."""
        if self._span is not NONE:
            self._token = _current.set(self._span)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the span."""
        if self._token is None:
            return
        _current.reset(self._token)
        if kind is not None:
            self._span.fail(kind.__name__)
        self._span.end()


def part(name: str, kind: Kind = Kind.INTERNAL, attributes: Attributes | None = None) -> within:
    """Work in a child of the current span; without a current span that is recorded, there is none."""
    now = _current.get()
    return within(begin(name, kind, attributes, parent=now.traceparent) if now.recorded else NONE)


def sampled(traceparent: str | None) -> bool:
    """Return whether *traceparent* is that of a trace that is sampled."""
    return traceparent is not None and traceparent[-1:] in _ODD and bool(TRACEPARENT.fullmatch(traceparent))


def distinct(traceparents: Iterable[str | None]) -> list[str]:
    """Return the different contexts among *traceparents* that are sampled; none while traces are off."""
    if _Switch.recorder is None:
        return []
    return [each for each in dict.fromkeys(traceparents) if each is not None and sampled(each)]


def ids(traceparent: str | None) -> dict[str, str]:
    """Return the ids of a context, as lines of the log name them; none of no context."""
    if traceparent is None:
        return {}
    return {"trace_id": traceparent[3:35], "span_id": traceparent[36:52]}


def add_ids(_: Any, __: str, line: Any) -> Any:
    """Add the ids of the current span to a line of the log (a processor of structlog)."""
    line.update(ids(_current.get().traceparent))
    return line
