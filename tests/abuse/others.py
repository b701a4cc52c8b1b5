"""People at work on a server, and how long they wait: what a test compares while somebody attacks it."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.support.server import Server
from tests.support.time_scale import stretched

LIVE, READ, WRITE = "live", "read", "write"
PAUSES = {LIVE: 0.01, READ: 0.02, WRITE: 0.05}
"""Seconds between two requests: short enough for hundreds of them, so that one in a hundred can be told."""
GUIDE = "{ projects { id name collaborators { id name } aiInsights { complexity suggestions } } }"
JSON = {"Content-Type": "application/json"}

Request = tuple[str, str, bytes | None]


@dataclass
class Waits:
    """How long each kind of request took, in seconds, and the refusals that others got."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {LIVE: [], READ: [], WRITE: []})
    failures: list[tuple[str, int]] = field(default_factory=list)
    memory: int = 0

    def fewest(self) -> int:
        """Return how many answers there are of the kind that has the fewest."""
        return min(len(seconds) for seconds in self.seconds.values())

    def p99(self, kind: str) -> float:
        ordered = sorted(self.seconds[kind])
        return ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]

    def __str__(self) -> str:
        waits = {kind: f"{self.p99(kind) * 1000:.0f} ms" for kind in self.seconds}
        return f"{waits}, {self.memory / 2**20:.0f} MiB, failures {self.failures[:5]}"


class Others:
    """Somebody who reads, somebody who writes, and the probe of an orchestrator."""

    def __init__(self, server: Server, reader: str, writer: str, project: str) -> None:
        """Read as *reader* and write as *writer*, tokens both, in the writer's public *project*."""
        path = f"/api/v1/projects/{project}"
        guide = json.dumps({"query": GUIDE}).encode()
        self._server = server
        self._process = psutil.Process(server.pid)
        self._work: dict[str, tuple[str | None, Sequence[Request]]] = {
            LIVE: (None, [("GET", "/health/live", None)]),
            READ: (
                reader,
                [
                    ("GET", "/api/v1/projects", None),
                    ("GET", path, None),
                    ("GET", f"{path}/files/readme.md", None),
                    ("POST", "/graphql", guide),
                ],
            ),
            WRITE: (
                writer,
                [
                    ("PATCH", path, b'{"description": "%d"}'),
                    ("PUT", f"{path}/files/readme.md", b'{"content": "%d"}'),
                ],
            ),
        }

    @contextmanager
    def at_work(self) -> Iterator[Waits]:
        """Let them work while the block runs; what they waited is complete afterwards."""
        waits, ended = Waits(), threading.Event()
        threads = [
            threading.Thread(target=self._ask, args=(kind, waits, ended), daemon=True) for kind in self._work
        ]
        threads.append(threading.Thread(target=self._weigh, args=(waits, ended), daemon=True))
        for thread in threads:
            thread.start()
        try:
            yield waits
        finally:
            ended.set()
            for thread in threads:
                thread.join(stretched(30))

    def _ask(self, kind: str, waits: Waits, ended: threading.Event) -> None:
        token, requests = self._work[kind]
        headers = JSON if token is None else {**JSON, "Authorization": f"Bearer {token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=stretched(20))
        number = time.time_ns()
        while not ended.is_set():
            method, path, body = requests[number % len(requests)]
            number += 1
            start = time.monotonic()
            connection.request(method, path, body % number if kind == WRITE else body, headers)
            answer = connection.getresponse()
            answer.read()
            waits.seconds[kind].append(time.monotonic() - start)
            if answer.status >= 300:
                waits.failures.append((path, answer.status))
            ended.wait(PAUSES[kind])
        connection.close()

    def _weigh(self, waits: Waits, ended: threading.Event) -> None:
        while not ended.is_set():
            waits.memory = max(waits.memory, self._process.memory_info().rss)
            ended.wait(0.02)


def sent(server: Server, request: Request, headers: dict[str, str]) -> tuple[int, int]:
    """Send a hostile request; return the status and size of its answer, 0 where it got none in time."""
    method, path, body = request
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=stretched(20))
    try:
        connection.request(method, path, body, {**JSON, **headers})
        answer = connection.getresponse()
        size = 0
        while piece := answer.read(1 << 20):
            size += len(piece)
    except OSError:
        return 0, 0
    else:
        return answer.status, size
    finally:
        connection.close()


def document(**fields: Any) -> bytes:
    """Return *fields* as the body of a request."""
    return json.dumps(fields).encode()
