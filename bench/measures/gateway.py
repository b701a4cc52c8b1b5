"""The cost of authentication and limits: the same requests with them and without, in turns."""

import itertools
import statistics
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.api import PROJECTS, reads
from bench.book import OURS, Book
from bench.codepark_server import CodePark
from bench.connection import run
from bench.load import closed_loop
from bench.measures.queries import public_projects
from bench.plan import Plan
from bench.session import MeasureError, Say, Session
from bench.wire import request
from commands.secrets import Secrets
from devservers.servers import ValkeyServer
from domain.actor import Role, Tier
from read_api.auth.keys import SigningKeys
from read_api.auth.tokens import Tokens

_ACCOUNTS = 4_000
"""So many that none of them meets its limit: this measures counting, not refusing."""
_ROUNDS = 5
_CONNECTIONS = (1, 64)
_SETTLE_SECONDS = 0.5


@dataclass
class _Variant:
    """A server, and the requests that it gets."""

    name: str
    about: str
    session: Session
    requests: Iterator[bytes]
    p50: dict[int, list[float]] = field(default_factory=dict)
    cpu: dict[int, list[float]] = field(default_factory=dict)


def gateway(folder: Path, book: Book, plan: Plan, say: Callable[[str], None]) -> None:
    """Read public projects anonymously and uncounted, then as accounts counted in memory and in Redis."""
    with ExitStack() as stack:
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        off = _served(folder / "off", {}, stack, book, plan, say)
        memory = _served(folder / "memory", {"CODEPARK_RATE_LIMITS": "on"}, stack, book, plan, say)
        shared = {"CODEPARK_RATE_LIMITS": "on", "CODEPARK_REDIS_URL": valkey.address}
        redis = _served(folder / "redis", shared, stack, book, plan, say)
        variants = [
            _Variant("plain", "anonymous and not counted", off, reads(None, run(public_projects(off)))),
            _Variant(
                "memory", "accounts, counted in memory", memory, _of_accounts(folder / "memory", memory)
            ),
            _Variant("redis", "accounts, counted in Redis", redis, _of_accounts(folder / "redis", redis)),
        ]
        for _, connections, variant in itertools.product(range(_ROUNDS), _CONNECTIONS, variants):
            _load(variant, connections)
        _report(variants)
        _compression(off)


def _served(folder: Path, env: dict[str, str], stack: ExitStack, book: Book, plan: Plan, say: Say) -> Session:
    folder.mkdir()
    codepark = CodePark(folder, env)
    server, _ = codepark.serve()
    session = Session(OURS, server, codepark.token(), book, plan, say, codepark.serve)
    stack.callback(session.stop)
    return session


def _of_accounts(folder: Path, session: Session) -> Iterator[bytes]:
    """Return an endless series of requests, each by the next of many accounts of the tier pro."""
    secret = (folder / "data" / "secret.key").read_text(encoding="ascii")
    tokens = Tokens(SigningKeys(Secrets.from_base64(secret)))
    access_tokens = [
        tokens.issue_access(
            str(uuid.uuid4()), frozenset({Role.USER}), tier=Tier.PRO, seconds=86_400, operator=True
        )
        for _ in range(_ACCOUNTS)
    ]
    ids = run(public_projects(session))
    return itertools.cycle(
        [
            request("GET", f"{PROJECTS}/{ids[n % len(ids)]}", token=token)
            for n, token in enumerate(access_tokens)
        ]
    )


def _load(variant: _Variant, connections: int) -> None:
    """Load the server for as long as the plan says. An account's first request also checks its signature."""
    session = variant.session
    before = session.server.cpu_seconds()
    outcome = run(
        closed_loop(
            session.port,
            variant.requests,
            connections=connections,
            seconds=session.plan.seconds,
            warmup=_SETTLE_SECONDS,
        )
    )
    session.book.failed(f"gateway-{variant.name}", session.name, outcome.errors)
    if outcome.errors or not outcome.latencies:
        raise MeasureError(f"{variant.about}: {dict(outcome.errors)}")
    used = session.server.cpu_seconds() - before
    variant.p50.setdefault(connections, []).append(1000 * statistics.median(outcome.latencies))
    variant.cpu.setdefault(connections, []).append(1000 * used / max(outcome.answered, 1))


def _report(variants: list[_Variant]) -> None:
    plain, *counted = variants
    for variant, connections in itertools.product(variants, _CONNECTIONS):
        about = f"GET a project, {variant.about}, {_connections(connections)}"
        variant.session.add(
            f"gateway-{variant.name}-{connections}-p50",
            variant.p50[connections],
            "ms",
            "lower",
            f"{about}, p50",
        )
        variant.session.add(
            f"gateway-{variant.name}-{connections}-cpu",
            variant.cpu[connections],
            "ms/request",
            "lower",
            f"processor time of the server, {about}",
        )
    for variant in counted:
        one, most = _CONNECTIONS
        for kind, connections, values, base in (
            ("p50", one, variant.p50, plain.p50),  # on 64 connections it measures the queue
            ("cpu", one, variant.cpu, plain.cpu),
            ("cpu", most, variant.cpu, plain.cpu),
        ):
            more = [a - b for a, b in zip(values[connections], base[connections], strict=True)]
            about = (
                f"added by authentication and limits ({variant.name}), {_connections(connections)}, {kind}"
            )
            variant.session.add(
                f"gateway-{variant.name}-overhead-{connections}-{kind}", more, "ms", "lower", about
            )


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"


def _compression(session: Session) -> None:
    """Read a small and a larger answer, with gzip and without."""
    for name, path in (("small", "/health/live"), ("list", f"{PROJECTS}?limit=20")):
        for coding in ("identity", "gzip"):
            requests = itertools.repeat(request("GET", path, headers={"Accept-Encoding": coding}))
            session.closed(
                f"gateway-{name}-{coding}",
                requests,
                f"GET {path}, {coding}",
                "requests",
                connections=_CONNECTIONS[-1],
            )
