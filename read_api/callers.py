"""Callers with requests that are not answered yet: how many each has, and a lock for one at a time."""

import asyncio


class Caller:
    """A caller: how many *unanswered* requests there are, and the lock that the one with the *turn* holds."""

    def __init__(self) -> None:
        """Begin without a request."""
        self.unanswered = 0
        self.turn = asyncio.Lock()


class Callers:
    """The callers by their names; one without a request is not kept."""

    def __init__(self) -> None:
        """Begin without a caller."""
        self._callers: dict[str, Caller] = {}

    def unanswered(self, name: str) -> int:
        """Return how many requests of a caller are not answered yet."""
        known = self._callers.get(name)
        return 0 if known is None else known.unanswered

    def enter(self, name: str) -> Caller:
        """Count a request of a caller, until `leave`; return the caller."""
        caller = self._callers.setdefault(name, Caller())
        caller.unanswered += 1
        return caller

    def leave(self, name: str) -> None:
        """Count a request of a caller as answered."""
        caller = self._callers[name]
        caller.unanswered -= 1
        if caller.unanswered == 0:
            del self._callers[name]

    def __len__(self) -> int:
        """Return how many callers have requests."""
        return len(self._callers)
