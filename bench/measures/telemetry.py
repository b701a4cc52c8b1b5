"""The cost of traces: the same commands without them, and with one trace in ten and every trace, in turns."""

import itertools
import statistics
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.api import file_writes
from bench.book import OURS, Book
from bench.codepark_server import CodePark
from bench.connection import run
from bench.load import closed_loop
from bench.measures.queries import public_projects
from bench.plan import Plan
from bench.session import MeasureError, Say, Session

_ROUNDS = 48
"""Many short turns: what else the machine does in the meantime then disturbs all variants alike."""
_TURN_SECONDS = 1.0
_CONNECTIONS = (1, 16)
_SETTLE_SECONDS = 0.4
_SHARES = {"off": None, "10": "0.1", "100": "1.0"}
"""The share of the requests whose traces are recorded, by the name of the variant."""


@dataclass
class _Variant:
    """A server, the requests that it gets, and what was measured on each number of connections."""

    about: str
    session: Session
    requests: Iterator[bytes]
    rates: dict[int, list[float]] = field(default_factory=dict)
    cpu: dict[int, list[float]] = field(default_factory=dict)


def telemetry(folder: Path, book: Book, plan: Plan, say: Callable[[str], None]) -> None:
    """Write files with traces off, of 10 % of the requests, and of all of them."""
    with ExitStack() as stack:
        collector = stack.enter_context(_collector())
        variants = {
            name: _served(folder / name, _variables(collector, share), stack, book, plan, say)
            for name, share in _SHARES.items()
        }
        rounds = _ROUNDS // 2 if plan.quick else _ROUNDS
        for number, connections in itertools.product(range(rounds), _CONNECTIONS):
            # Each variant follows each other one as often: what one leaves to be measured or exported takes
            # time from the next.
            orders = list(itertools.permutations(variants.values()))
            for variant in orders[number % len(orders)]:
                _load(variant, connections)
    _report(variants)


def _variables(collector: str, share: str | None) -> dict[str, str]:
    if share is None:
        return {"OTEL_SDK_DISABLED": "true"}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": share,
    }


def _served(
    folder: Path, env: Mapping[str, str], stack: ExitStack, book: Book, plan: Plan, say: Say
) -> _Variant:
    folder.mkdir()
    codepark = CodePark(folder, env)
    server, _ = codepark.serve()
    token = codepark.token()
    session = Session(OURS, server, token, book, plan, say, codepark.serve)
    stack.callback(session.stop)
    about = {"off": "without traces", "10": "10 % traced", "100": "all traced"}[folder.name]
    return _Variant(about, session, file_writes(token, run(public_projects(session))))


def _load(variant: _Variant, connections: int) -> None:
    """Load the server for as long as the plan says."""
    session = variant.session
    before = session.server.cpu_seconds()
    outcome = run(
        closed_loop(
            session.port,
            variant.requests,
            connections=connections,
            seconds=_TURN_SECONDS,
            warmup=_SETTLE_SECONDS,
        )
    )
    session.book.failed("telemetry", session.name, outcome.errors)
    if outcome.errors or not outcome.latencies:
        raise MeasureError(f"{variant.about}: {dict(outcome.errors)}")
    used = session.server.cpu_seconds() - before
    variant.rates.setdefault(connections, []).append(outcome.done / outcome.seconds)
    variant.cpu.setdefault(connections, []).append(1000 * used / max(outcome.answered, 1))


def _report(variants: Mapping[str, _Variant]) -> None:
    off = variants["off"]
    for (name, variant), connections in itertools.product(variants.items(), _CONNECTIONS):
        about = f"PUT a file, {variant.about}, {connections} connection{'s' if connections > 1 else ''}"
        add = variant.session.add
        add(f"telemetry-{name}-{connections}", variant.rates[connections], "commands/s", "higher", about)
        cpu = f"processor time of the server, {about}"
        add(f"telemetry-{name}-{connections}-cpu", variant.cpu[connections], "ms/command", "lower", cpu)
        if variant is off:
            continue
        for kind, values, base, better in (
            ("ratio", variant.rates, off.rates, "higher"),
            ("cpu-ratio", variant.cpu, off.cpu, "lower"),
        ):
            ratio = [a / b for a, b in zip(values[connections], base[connections], strict=True)]
            spread = round(statistics.stdev(ratio), 3)
            add(
                f"telemetry-{name}-{connections}-{kind}",
                ratio,
                "x",
                "higher" if better == "higher" else "lower",
                f"{'rate' if kind == 'ratio' else 'processor time'} over that without traces, {about}",
                spread=spread,
            )


@contextmanager
def _collector() -> Iterator[str]:
    """Take spans and drop them; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
