"""A small server in place of Sentry: it takes envelopes, and keeps what is in them."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789abcdef0123456789abcdef"


class SentryServer:
    """Keeps the items of the envelopes that it got, and each request as it came."""

    def __init__(self, port: int) -> None:
        self.dsn = f"http://{KEY}@127.0.0.1:{port}/7"
        self.items: list[tuple[str, dict[str, Any]]] = []
        self.received: list[bytes] = []

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the items of a kind: `event`, `transaction` or `feedback`."""
        return [item for name, item in list(self.items) if name == kind]

    def text(self) -> str:
        """Return everything that was received."""
        return b"\n".join(self.received).decode()

    def take(self, path: str, headers: str, body: bytes) -> None:
        """Keep an envelope: a line of headers, then for each item a line of headers and its payload."""
        assert path == "/api/7/envelope/", path
        self.received += [headers.encode(), body]
        _, rest = body.split(b"\n", 1)
        while rest.strip():
            line, rest = rest.split(b"\n", 1)
            about = json.loads(line)
            size = about.get("length", rest.find(b"\n") if b"\n" in rest else len(rest))
            payload, rest = rest[:size], rest[size + 1 :]
            self.items.append((about["type"], json.loads(payload)))


@contextmanager
def sentry_server() -> Iterator[SentryServer]:
    """Run the server until the block ends."""
    taken: list[SentryServer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is the library's
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            taken[0].take(self.path, str(self.headers), body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 # as above
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        taken.append(SentryServer(server.server_port))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield taken[0]
        finally:
            server.shutdown()
            thread.join()
