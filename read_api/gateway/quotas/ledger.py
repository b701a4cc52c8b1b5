"""What each account owns at most, so that most commands need no look at the read models."""

import asyncio
import math
from collections import OrderedDict

from commands.position import START, Position
from domain.quotas import NOTHING, Amounts

_MOST_ACCOUNTS = 10_000


class Account:
    """What an account owns at most: what was measured, and all that was admitted since.

    *pending* is what it is adding itself, by commands without an outcome: no measurement may include that.
    *position* is the one after the last of its commands that this process knows the outcome of. Who adds a
    collaborator to one of its projects holds *joining*.
    """

    __slots__ = ("_admitted", "idle", "joining", "measured_at", "pending", "position", "used")

    def __init__(self) -> None:
        """Begin without a measurement."""
        self.used = NOTHING
        self.pending = NOTHING
        self.position = START
        self.measured_at = -math.inf
        self.idle = asyncio.Event()
        self.idle.set()
        self.joining = asyncio.Lock()
        self._admitted = NOTHING

    def assume(self, growth: Amounts) -> None:
        """Count what somebody else's command adds at most, until the next measurement.

        That may be nothing: anybody can send a command for a project that is not theirs.
        """
        self.used += growth

    def admit(self, growth: Amounts) -> None:
        """Count what a command of the account adds that is carried out now."""
        self.used += growth
        self.pending += growth
        self._admitted += growth
        self.idle.clear()

    def settle(self, growth: Amounts, position: Position = START) -> None:
        """Note that the command that adds *growth* has its outcome, with which it is at *position*."""
        self.pending -= growth
        self.position = self.position.join(position)
        if self.pending == NOTHING:
            self.idle.set()

    def unmeasured(self) -> Amounts:
        """Return a mark for `measured`, made before a measurement begins."""
        return self._admitted - self.pending

    def measured(self, owned: Amounts, mark: Amounts, at: float) -> None:
        """Take over a measurement; what is not in it for certain is counted on top of it."""
        self.used = owned + (self._admitted - mark)
        self.measured_at = at


class Ledger:
    """The accounts that commands were admitted for; the oldest is forgotten first, and measured again."""

    def __init__(self) -> None:
        """Begin with no account."""
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def account(self, account_id: str) -> Account:
        """Return what is known of an account."""
        account = self._accounts.get(account_id)
        if account is None:
            account = self._accounts[account_id] = Account()
            if len(self._accounts) > _MOST_ACCOUNTS:
                self._accounts.popitem(last=False)
        return account
