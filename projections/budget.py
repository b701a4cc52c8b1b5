"""What one request may take: bytes that it reads, bytes that it shows, and time. It ends with the request.

The budget belongs to the context in which a request is answered, so that everything that the request calls
draws on it, in other threads too. Work that no request asked for, such as projecting, has none.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

READ_BYTES = 12 * 1024 * 1024
"""How much a request reads before it is refused; what is read last may pass it."""

ANSWER_BYTES = 8 * 1024 * 1024
"""How much an answer that is made of many parts shows."""

PAGE_BYTES = 4 * 1024 * 1024
"""Where the page of a list ends, after its first item at least."""


class OverBudgetError(Exception):
    """The request asks for more than one answer may take."""


class RequestEndedError(Exception):
    """The request that the work is for has ended: nobody waits for its result."""


class Budget:
    """The budget of one request."""

    __slots__ = ("_end_turn", "_left", "_shown", "_turn", "ended")

    def __init__(self, read: int = READ_BYTES, answer: int = ANSWER_BYTES) -> None:
        """Allow *read* bytes to be read, and *answer* bytes to be shown."""
        self._left = read
        self._shown = answer
        self._turn: asyncio.Lock | None = None
        self._end_turn: Callable[[], None] | None = None
        self.ended = False

    def read(self, size: int) -> None:
        """Note that *size* bytes were read; raises OverBudgetError where too much was read before."""
        if self._left < 0:
            raise OverBudgetError("the answer would take too much: ask for fewer items or for fewer fields")
        self._left -= size

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Let the parts of a request that read much do so one after the other.

        Raises OverBudgetError for those that come when nothing is left, before they have read anything.
        """
        if self._turn is None:
            self._turn = asyncio.Lock()
        async with self._turn:
            self.read(0)
            yield

    @property
    def has_turn(self) -> bool:
        """Return whether the request has its turn among those of its caller that handle megabytes."""
        return self._end_turn is not None

    def begin_turn(self, end: Callable[[], None]) -> None:
        """Note that the request has its turn; *end* is called when the request ends.

        Raises RequestEndedError where it has ended already, for nobody would end the turn.
        """
        if self.ended:
            end()
            self.check()
        self._end_turn = end

    def end(self) -> None:
        """End the request: its turn, and its work in threads at the next step."""
        self.ended = True
        if self._end_turn is not None:
            self._end_turn()
            self._end_turn = None

    def show(self, size: int) -> None:
        """Note that the answer shows *size* bytes; raises OverBudgetError where that is too much."""
        if size > self._shown:
            limit = ANSWER_BYTES // (1024 * 1024)
            raise OverBudgetError(
                f"the answer would be larger than {limit} MiB: ask for fewer items or for fewer fields"
            )
        self._shown -= size

    @property
    def left(self) -> int:
        """Return how many bytes the answer may still show."""
        return self._shown

    def check(self) -> None:
        """Raise RequestEndedError once the request has ended; work in steps asks before each step."""
        if self.ended:
            raise RequestEndedError


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


def current_budget() -> Budget | None:
    """Return the budget of the request that is being answered, None where no request asked for the work."""
    return _current.get()


def draw(size: int) -> None:
    """Note that *size* bytes were read for the present request; raises OverBudgetError."""
    budget = _current.get()
    if budget is not None:
        budget.read(size)


def size_of(text: str) -> int:
    """Return about how many bytes *text* takes, without reading it."""
    return len(text) if text.isascii() else 3 * len(text)


def draw_text(text: str) -> int:
    """Note that *text* was read for the present request, and return its size; raises OverBudgetError."""
    size = size_of(text)
    budget = _current.get()
    if budget is not None:
        budget.read(size)
    return size


class budgeted:  # noqa: N801 # it stands where a function would, and costs every request half as much
    """Give the request that the block answers a budget, by default a new one, which ends with the block."""

    __slots__ = ("_budget", "_token")

    def __init__(self, budget: Budget | None = None) -> None:
        """Use *budget*."""
        self._budget = Budget() if budget is None else budget

    def __enter__(self) -> Budget:
        """Begin."""
        self._token = _current.set(self._budget)
        return self._budget

    def __exit__(self, *_: object) -> None:
        """End the budget; work in threads stops at its next step."""
        self._budget.end()
        _current.reset(self._token)
