"""What it costs to know who asks and to count it: the same requests with limits and without, in turns in one run."""

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
"""So many that none of them meets its limit: what is measured is counting, not refusing."""
_ROUNDS = 5
_CONNECTIONS = (1, 64)
_SETTLE_SECONDS = 0.5


@dataclass
class _Way:
    """One way to ask: which server, with which requests."""

    name: str
    about: str
    session: Session
    requests: Iterator[bytes]
    p50: dict[int, list[float]] = field(default_factory=dict)
    cpu: dict[int, list[float]] = field(default_factory=dict)


def gateway(folder: Path, book: Book, plan: Plan, say: Callable[[str], None]) -> None:
    """Read public projects: by nobody and uncounted, by accounts that are counted in memory and in Redis."""
    with ExitStack() as stack:
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        off = _served(folder / "off", {}, stack, book, plan, say)
        memory = _served(folder / "memory", {"CODEPARK_RATE_LIMITS": "on"}, stack, book, plan, say)
        shared = {"CODEPARK_RATE_LIMITS": "on", "CODEPARK_REDIS_URL": valkey.address}
        redis = _served(folder / "redis", shared, stack, book, plan, say)
        ways = [
            _Way("plain", "nobody, not counted", off, reads(None, run(public_projects(off)))),
            _Way("memory", "accounts, counted in memory", memory, _of_accounts(folder / "memory", memory)),
            _Way("redis", "accounts, counted in Redis", redis, _of_accounts(folder / "redis", redis)),
        ]
        for _, connections, way in itertools.product(range(_ROUNDS), _CONNECTIONS, ways):
            _ask(way, connections)
        _report(ways)
        _compression(off)


def _served(folder: Path, env: dict[str, str], stack: ExitStack, book: Book, plan: Plan, say: Say) -> Session:
    folder.mkdir()
    codepark = CodePark(folder, env)
    server, _ = codepark.serve()
    session = Session(OURS, server, codepark.token(), book, plan, say, codepark.serve)
    stack.callback(session.stop)
    return session


def _of_accounts(folder: Path, session: Session) -> Iterator[bytes]:
    """Return requests without end, each by the next of many accounts of the tier pro."""
    secret = (folder / "data" / "secret.key").read_text(encoding="ascii")
    tokens = Tokens(SigningKeys(Secrets.from_base64(secret)))
    asked = [
        tokens.issue_access(
            str(uuid.uuid4()), frozenset({Role.USER}), tier=Tier.PRO, seconds=86_400, operator=True
        )
        for _ in range(_ACCOUNTS)
    ]
    ids = run(public_projects(session))
    return itertools.cycle(
        [request("GET", f"{PROJECTS}/{ids[n % len(ids)]}", token=token) for n, token in enumerate(asked)]
    )


def _ask(way: _Way, connections: int) -> None:
    """Ask once for as long as the plan says; the first round of an account checks its token's signature too."""
    session = way.session
    before = session.server.cpu_seconds()
    outcome = run(
        closed_loop(
            session.port,
            way.requests,
            connections=connections,
            seconds=session.plan.seconds,
            warmup=_SETTLE_SECONDS,
        )
    )
    session.book.failed(f"gateway-{way.name}", session.name, outcome.errors)
    if outcome.errors or not outcome.latencies:
        raise MeasureError(f"{way.about}: {dict(outcome.errors)}")
    used = session.server.cpu_seconds() - before
    way.p50.setdefault(connections, []).append(1000 * statistics.median(outcome.latencies))
    way.cpu.setdefault(connections, []).append(1000 * used / max(outcome.answered, 1))


def _report(ways: list[_Way]) -> None:
    plain, *counted = ways
    for way, connections in itertools.product(ways, _CONNECTIONS):
        about = f"GET a project, {way.about}, {connections} connections"
        way.session.add(
            f"gateway-{way.name}-{connections}-p50", way.p50[connections], "ms", "lower", f"{about}, p50"
        )
        way.session.add(
            f"gateway-{way.name}-{connections}-cpu",
            way.cpu[connections],
            "ms/request",
            "lower",
            f"processor time of the server, {about}",
        )
    for way in counted:
        one, most = _CONNECTIONS
        for kind, connections, values, base in (
            ("p50", one, way.p50, plain.p50),  # on many, it is how long the queue is
            ("cpu", one, way.cpu, plain.cpu),
            ("cpu", most, way.cpu, plain.cpu),
        ):
            more = [a - b for a, b in zip(values[connections], base[connections], strict=True)]
            about = (
                f"who asks, policy and limits ({way.name}), {connections} connections: {kind} more a request"
            )
            way.session.add(f"gateway-{way.name}-overhead-{connections}-{kind}", more, "ms", "lower", about)


def _compression(session: Session) -> None:
    """Ask for a small and for a larger answer, with gzip and without."""
    for name, path in (("small", "/health/live"), ("list", f"{PROJECTS}?limit=20")):
        for coding in ("identity", "gzip"):
            asked = itertools.repeat(request("GET", path, headers={"Accept-Encoding": coding}))
            session.closed(
                f"gateway-{name}-{coding}",
                asked,
                f"GET {path}, {coding}",
                "requests",
                connections=_CONNECTIONS[-1],
            )
