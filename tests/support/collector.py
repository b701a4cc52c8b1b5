"""A collector of traces: it takes spans by OTLP over HTTP, and writes them to a file as JSON, one a line."""

import gzip
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.server import eventually

PATH = "/v1/traces"


class Collector:
    """A collector on a port of this machine, in threads of the test."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._spans: list[dict[str, Any]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert (self.path, self.headers["Content-Type"]) == (PATH, "application/x-protobuf")
                collector.take(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class names it
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which a process exports to this collector, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def take(self, request: ExportTraceServiceRequest) -> None:
        with self._lock, self.file.open("a") as file:
            for resource in request.resource_spans:
                about = _values(resource.resource.attributes)
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        self._spans.append(_document(span, about))
                        file.write(json.dumps(self._spans[-1]) + "\n")

    def spans(self, trace: str | None = None) -> list[dict[str, Any]]:
        """Return the spans that have arrived, in the order of their beginnings; of one *trace* alone."""
        with self._lock:
            chosen = [span for span in self._spans if trace in (None, span["trace"])]
        return sorted(chosen, key=lambda span: span["began"])

    def await_spans(self, ready: Callable[[list[dict[str, Any]]], bool], trace: str | None = None) -> Any:
        """Return the spans once they are *ready*."""
        return eventually(lambda: spans if ready(spans := self.spans(trace)) else None)


def _document(span: Any, resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex() or None,
        "name": span.name,
        "kind": type(span).SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "began": span.start_time_unix_nano,
        "ended": span.end_time_unix_nano,
        "attributes": _values(span.attributes),
        "links": [{"trace": link.trace_id.hex(), "id": link.span_id.hex()} for link in span.links],
        "status": type(span.status).StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        "texts": [span.status.message, span.trace_state, *(event.name for event in span.events)],
        "resource": resource,
    }


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(MessageToDict(each.value)) for each in attributes}


def _value(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return int(content) if kind == "intValue" else content


def tree(spans: list[dict[str, Any]], parent: str | None = None, depth: int = 0) -> list[str]:
    """Return a line for each span of a trace, its children below it; *parent* is above what is shown.

    A wait has none: whether there was one depends on the machine.
    """
    known = {span["id"] for span in spans}
    lines = []
    for span in spans:
        if span["name"] == "wait for read models":
            continue
        if span["parent"] == parent or (parent is None and span["parent"] not in known):
            lines.append(f"{'  ' * depth}{span['kind']} {span['name']}")
            lines += tree(spans, span["id"], depth + 1)
    return lines
