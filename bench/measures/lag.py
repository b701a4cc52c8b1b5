"""Projection lag as a client sees it: from a command's answer until a query at its position is answered."""

import asyncio
import re
from collections.abc import Iterator
from time import perf_counter

from bench.api import creates, read_after
from bench.connection import Connection, connected, run
from bench.outcome import Outcome
from bench.session import MeasureError, Session
from bench.wire import request

_RATE = 200.0
_CONNECTIONS = 16
_METRICS_SECONDS = 0.5
_METRIC = re.compile(r"^(\w*projection_lag\w*)(\{[^}]*\})? ([0-9.eE+-]+)", re.MULTILINE)


def lag(session: Session) -> None:
    """Create projects at a steady rate; read each at its position, then again without one."""
    runs = [run(_Pairs(session).measure()) for _ in range(session.plan.repeats)]
    about = f"from a command's answer until a query at its position is answered, {_RATE:.0f} commands/s"
    session.latencies("lag", [pairs.after for pairs in runs], about)
    session.latencies(
        "lag-floor", [pairs.plain for pairs in runs], "the same query again, without a position"
    )
    for name, highest in _highest(runs).items():
        session.add(f"metric-{name}", highest, "events", "lower", f"highest `{name}` during the run")
    session.remember_memory("lag")


class _Pairs:
    """A steady rate of commands, each followed by two queries on the same connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._requests: Iterator[bytes] = creates(session.token)
        self.after, self.plain = Outcome(), Outcome()
        self.metrics: dict[str, float] = {}

    async def measure(self) -> "_Pairs":
        """Run for the time of the plan; raise MeasureError where no pair succeeded."""
        async with connected(self._session.port, _CONNECTIONS) as opened:
            idle: asyncio.Queue[Connection] = asyncio.Queue()
            for connection in opened:
                idle.put_nowait(connection)
            watcher = asyncio.create_task(self._watch())
            try:
                async with asyncio.TaskGroup() as pairs:
                    begin = perf_counter()
                    for index in range(int(_RATE * self._session.plan.seconds)):
                        await asyncio.sleep(max(begin + index / _RATE - perf_counter(), 0))
                        pairs.create_task(self._pair(await idle.get(), idle))
            finally:
                watcher.cancel()
        for name, outcome in (("lag", self.after), ("lag-floor", self.plain)):
            self._session.book.failed(name, self._session.name, outcome.errors)
            if not outcome.latencies:
                raise MeasureError(f"{self._session.name}: no read at a position: {dict(outcome.errors)}")
        return self

    async def _pair(self, connection: Connection, idle: asyncio.Queue[Connection]) -> None:
        token = self._session.token
        try:
            created = await connection.ask(next(self._requests))
            acknowledged = perf_counter()
            if not created.ok:
                self.after.errors[f"create {created.status}"] += 1
                return
            key, position = created.json()["id"], created.header("CodePark-Position")
            await _timed(connection, read_after(token, key, position), self.after, acknowledged)
            await _timed(connection, read_after(token, key, None), self.plain, perf_counter())
        except (ConnectionError, TimeoutError) as error:
            self.after.errors[type(error).__name__] += 1
        finally:
            idle.put_nowait(connection)

    async def _watch(self) -> None:
        """Note the highest value of each metric of lag, where the server has metrics."""
        async with connected(self._session.port, 1) as (connection,):
            while True:
                answer = await connection.ask(request("GET", "/metrics", token=self._session.token))
                if not answer.ok:
                    return
                for name, _, value in _METRIC.findall(answer.body.decode()):
                    self.metrics[name] = max(self.metrics.get(name, 0.0), float(value))
                await asyncio.sleep(_METRICS_SECONDS)


async def _timed(connection: Connection, query: bytes, outcome: Outcome, since: float) -> None:
    answer = await connection.ask(query)
    if answer.ok:
        outcome.latencies.append(perf_counter() - since)
    else:
        outcome.errors[str(answer.status)] += 1


def _highest(runs: list[_Pairs]) -> dict[str, float]:
    names = {name for pairs in runs for name in pairs.metrics}
    return {name: max(pairs.metrics.get(name, 0.0) for pairs in runs) for name in sorted(names)}
