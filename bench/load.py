"""The load generator: closed loops (each connection waits for its answer) and open loops (a fixed rate)."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from time import perf_counter

from bench.connection import Connection, connect, connected
from bench.outcome import Outcome, Units, one, undisturbed
from bench.wire import Answer

_MOST_REQUESTS = 5_000_000
_MOST_RECONNECTS = 1_000
_DRAIN_SECONDS = 15.0


class _Closed:
    """The state that the connections of a closed loop share."""

    def __init__(self, requests: Iterator[bytes], begin: float, end: float, most: int, units: Units) -> None:
        self.requests, self.begin, self.end, self.most, self.units = requests, begin, end, most, units
        self.outcome = Outcome(seconds=end - begin)
        self.sent = 0
        self.running = 0
        self.all_done = asyncio.Event()

    def finished(self) -> None:
        self.running -= 1
        if self.running == 0:
            self.all_done.set()


class _Worker:
    """Sends requests one after the other on a connection, until the time is over."""

    __slots__ = ("_connection", "_port", "_reconnects", "_run", "_sent")

    def __init__(self, run: _Closed, connection: Connection, port: int) -> None:
        self._run, self._connection, self._port = run, connection, port
        self._sent = 0.0
        self._reconnects: set[asyncio.Task[None]] = set()
        run.running += 1

    def next(self) -> None:
        run = self._run
        self._sent = perf_counter()
        if self._sent >= run.end or run.sent >= run.most:
            run.finished()
            return
        run.sent += 1
        self._connection.send(next(run.requests), self._answered)

    def _answered(self, answer: Answer | None) -> None:
        now, run = perf_counter(), self._run
        outcome = run.outcome
        if answer is None:
            outcome.errors["connection lost"] += 1
            self._reconnects.add(asyncio.get_running_loop().create_task(self._reconnect()))
            return
        if not answer.ok:
            outcome.errors[str(answer.status)] += 1
        else:
            units = run.units(answer)
            outcome.answered += units
            if run.begin <= now <= run.end:
                outcome.done += units
            if self._sent >= run.begin:
                outcome.latencies.append(now - self._sent)
        self.next()

    async def close(self) -> None:
        """Close the connection, where this object opened it after a loss."""
        for task in self._reconnects:
            task.cancel()
        if self._reconnects:
            await self._connection.close()

    async def _reconnect(self) -> None:
        if self._run.outcome.errors["connection lost"] > _MOST_RECONNECTS:
            self._run.finished()
            return
        try:
            await self._connection.close()
            self._connection = await connect(self._port)
        except (OSError, TimeoutError):
            self._run.outcome.errors["cannot connect"] += 1
            self._run.finished()
            return
        self.next()


async def closed_loop(
    port: int,
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    warmup: float = 0.5,
    most: int = _MOST_REQUESTS,
    units: Units = one,
) -> Outcome:
    """Keep *connections* busy for *seconds* after *warmup*, or until *most* requests are sent."""
    async with connected(port, connections) as opened:
        begin = perf_counter() + warmup
        run = _Closed(requests, begin, begin + seconds, most, units)
        with undisturbed():
            workers = [_Worker(run, connection, port) for connection in opened]
            for worker in workers:
                worker.next()
            try:
                async with asyncio.timeout(warmup + seconds + _DRAIN_SECONDS):
                    await run.all_done.wait()
            except TimeoutError:
                run.outcome.errors["no answer"] += run.running
        run.outcome.seconds = min(perf_counter(), run.end) - begin
        for worker in workers:
            await worker.close()
        return run.outcome


class _Open:
    """Sends at a fixed rate over a pool of connections; a wait for a free connection counts as latency."""

    def __init__(self, requests: Iterator[bytes], connections: list[Connection]) -> None:
        self.outcome = Outcome()
        self._requests = requests
        self._idle = deque(connections)
        self._waiting: deque[float] = deque()
        self.unanswered = 0
        self.all_done = asyncio.Event()

    def due(self, planned: float) -> None:
        now = perf_counter()
        self.outcome.late.append(now - planned)
        self._waiting.append(now)
        self._send()

    def _send(self) -> None:
        while self._waiting and self._idle:
            since, connection = self._waiting.popleft(), self._idle.popleft()
            connection.send(next(self._requests), lambda a, s=since, c=connection: self._answered(a, s, c))  # type: ignore[misc]

    def _answered(self, answer: Answer | None, since: float, connection: Connection) -> None:
        self.unanswered -= 1
        if not self.unanswered:
            self.all_done.set()
        if answer is None:
            self.outcome.errors["connection lost"] += 1
        else:
            self._idle.append(connection)
            if answer.ok:
                self.outcome.done += 1
                self.outcome.latencies.append(perf_counter() - since)
            else:
                self.outcome.errors[str(answer.status)] += 1
        self._send()


async def open_loop(
    port: int, requests: Iterator[bytes], *, rate: float, seconds: float, connections: int
) -> Outcome:
    """Send *rate* requests a second for *seconds*, however slow the answers; latency includes any wait."""
    async with connected(port, connections) as opened:
        run, count = _Open(requests, opened), int(rate * seconds)
        run.unanswered = count
        begin = perf_counter()
        with undisturbed():
            for index in range(count):
                planned = begin + index / rate
                await asyncio.sleep(max(planned - perf_counter(), 0))
                run.due(planned)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_SECONDS):
                    await run.all_done.wait()
        run.outcome.seconds = perf_counter() - begin
        if run.unanswered:
            run.outcome.errors["no answer"] += run.unanswered
        return run.outcome
