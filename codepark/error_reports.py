"""Unexpected errors, requests and feedback for Sentry (extra `telemetry`): without anything that people sent.

The events are built here, field by field, and the library only sends them: it has no integrations, no
breadcrumbs and no scope that could add to them. Of an exception there are its type, and the names and lines
of the functions; its text may repeat what somebody sent, and so the sentence of our own log line takes its
place.
"""

import random
import sys
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final
from uuid import uuid4

from codepark.sentry_settings import DSN, SentrySettings
from commands.environment import SettingsError
from telemetry.observers import OBSERVERS, ROUTE

_CLOSE_SECONDS: Final = 1.5
_QUEUE: Final = 100
_FEEDBACK_LENGTH: Final = 4_096  # as much as Sentry takes
_OWN_LOGGERS: Final = ("sentry_sdk", "urllib3")
_FRAME: Final = ("filename", "function", "module", "lineno", "in_app")
_FAULT: Final = 500

Event = Any
"""A dictionary, in the form that Sentry documents."""

Line = MutableMapping[str, Any]


class ErrorReports:
    """Sends events to one Sentry, from a thread of the library; a full queue drops what comes later."""

    def __init__(self, settings: SentrySettings) -> None:
        """Send to the project of the settings; raises ImportError without the extra, and SettingsError."""
        from sentry_sdk import Client  # noqa: PLC0415 # needs the extra `telemetry`
        from sentry_sdk.utils import BadDsn  # noqa: PLC0415 # as above

        self._rate = settings.traces_sample_rate
        self._sampled = random.Random()  # noqa: S311 # decides what is measured, and keeps no secret
        try:
            self._client = Client(
                settings.dsn,
                environment=settings.environment or "production",
                release=f"codepark@{version('codepark')}",
                server_name="",
                default_integrations=False,
                auto_enabling_integrations=False,
                include_local_variables=False,
                include_source_context=False,
                send_client_reports=False,
                auto_session_tracking=False,
                enable_backpressure_handling=False,
                max_request_body_size="never",
                max_breadcrumbs=0,
                transport_queue_size=_QUEUE,
                spotlight=False,
                debug=False,
            )
        except BadDsn as error:
            raise SettingsError(f"{DSN} cannot be used: copy it from the settings of the project") from error

    def error(self, sentence: str, error: BaseException, where: str) -> None:
        """Report an unexpected *error* that the logger *where* wrote down with *sentence*, a text of ours."""
        event = self._event()
        event |= {
            "level": "error",
            "logger": where,
            "exception": {"values": self._exceptions(error, sentence)},
        }
        if route := ROUTE.get():
            event["transaction"] = route
        self._client.capture_event(event)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Report some of the requests, as the settings say."""
        if self._sampled.random() >= self._rate:
            return
        now = time.time()
        event = self._event() | {
            "type": "transaction",
            "transaction": f"{method} {route}",
            "transaction_info": {"source": "route"},
            "start_timestamp": now - seconds,
            "timestamp": now,
            "spans": [],
            "contexts": {
                "trace": {
                    "trace_id": uuid4().hex,
                    "span_id": uuid4().hex[:16],
                    "op": "http.server",
                    "status": "internal_error" if status >= _FAULT else "ok",
                    "data": {"http.response.status_code": status},
                }
            },
        }
        self._client.capture_event(event)

    def feedback(self, message: str) -> None:
        """Pass on what somebody wrote to those who run the platform; not who it was."""
        from sentry_sdk.envelope import Envelope, Item, PayloadRef  # noqa: PLC0415 # as above

        event = self._event() | {
            "type": "feedback",
            "timestamp": time.time(),
            "contexts": {"feedback": {"message": message[:_FEEDBACK_LENGTH]}},
            "release": self._client.options["release"],
            "environment": self._client.options["environment"],
        }
        envelope = Envelope(headers={"event_id": event["event_id"]})
        envelope.add_item(Item(PayloadRef(json=event), type="feedback"))
        if self._client.transport is not None:
            self._client.transport.capture_envelope(envelope)

    def close(self) -> None:
        """Send what waits, for a moment; what does not arrive by then is lost."""
        self._client.close(timeout=_CLOSE_SECONDS)

    def _event(self) -> Event:
        return {"event_id": uuid4().hex, "platform": "python", "server_name": ""}

    def _exceptions(self, error: BaseException, sentence: str) -> list[Event]:
        """Return the error and its causes, the first cause first, each with its type and its functions."""
        from sentry_sdk.utils import exceptions_from_error_tuple  # noqa: PLC0415 # as above

        values = exceptions_from_error_tuple(
            (type(error), error, error.__traceback__), client_options=self._client.options
        )
        shown = [
            {"type": value.get("type"), "module": value.get("module"), "value": "", **_stack(value)}
            for value in values
        ]
        shown[-1]["value"] = sentence
        return shown


def _stack(value: Event) -> Event:
    frames = (value.get("stacktrace") or {}).get("frames") or ()
    kept = [{name: frame[name] for name in _FRAME if name in frame} for frame in frames]
    return {"stacktrace": {"frames": kept}} if kept else {}


class _Here:
    """The reports of this process, None where nothing is reported."""

    reports: ErrorReports | None = None


@contextmanager
def reporting(settings: SentrySettings | None) -> Iterator[None]:
    """Report errors until the block ends, where *settings* say where to; raises as ErrorReports does."""
    if settings is None:
        yield
        return
    reports = ErrorReports(settings)
    _Here.reports = reports
    if settings.traces_sample_rate:
        OBSERVERS.append(reports.answered)
    try:
        yield
    finally:
        _Here.reports = None
        OBSERVERS.clear()
        reports.close()


def report_feedback(message: str) -> None:
    """Pass feedback on, where errors are reported."""
    if _Here.reports is not None:
        _Here.reports.feedback(message)


def report_logged(logger: Any, method: str, line: Line) -> Line:
    """Report the error of a line of the log that has one; this is a processor of structlog."""
    del logger, method
    error, reports = _error_of(line.get("exc_info")), _Here.reports
    if error is not None and reports is not None:
        record = line.get("_record")
        where = "codepark" if record is None else str(record.name)
        if not where.startswith(_OWN_LOGGERS):
            sentence = str(line["event"]) if record is None else "an error of another package"
            reports.error(sentence, error, where)
    return line


def _error_of(info: Any) -> BaseException | None:
    """Return the exception that a line of the log is about: itself, as a tuple, or the one being handled."""
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if len(info) > 1 and isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None
