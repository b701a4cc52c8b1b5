"""The parts that signing in works with."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from commands.log import EventLog
from commands.secrets import Secrets
from commands.unit_of_work import load
from domain.account.events import AccountProfileChanged, AccountRegistered
from domain.identifiers import SIGNING_STREAM, account_stream
from domain.signing.decider import Signing
from read_api.auth.attempts import NEVER, Attempts
from read_api.auth.keys import SigningKeys
from read_api.auth.mail import Mail, Mailer
from read_api.auth.passwords import Passwords
from read_api.auth.principals import Principals
from read_api.auth.tokens import Tokens, unauthorized
from read_api.problems import HttpError

_MOST_LATER = 256
_CLOSE_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class Identity:
    """Who may sign in, with what, and how often it may be tried."""

    def __init__(
        self, log: EventLog, secrets: Secrets, *, attempts: Attempts, mailer: Mailer, public_url: str
    ) -> None:
        """Read accounts from *log*; *public_url* is where people reach this server."""
        self.secrets = secrets
        self.passwords = Passwords()
        self.attempts = attempts
        self.mailer = mailer
        self.public_url = public_url.rstrip("/")
        self._log = log
        self._signing: Signing | None = None
        log.on_append(self._appended)
        self.tokens = Tokens(SigningKeys(secrets, self._generations))
        self.principals = Principals(log, self.tokens, secrets)
        self.clock = time.time
        self._later: set[asyncio.Task[None]] = set()

    def _generations(self) -> Signing:
        found = self._signing
        if found is None:
            found = self._signing = load(self._log, SIGNING_STREAM).state
        return found

    def _appended(self, records: Any) -> None:
        if any(record.stream == SIGNING_STREAM for record in records):
            self._signing = None

    async def allow(self, *keys: str, most: int | None = None) -> None:
        """Count an attempt under each of *keys*; raises HttpError 429 where one comes too early, 401 where it is spent."""
        for key in keys:
            wait = await self.attempts.attempt(key, most)
            if wait == NEVER:
                raise unauthorized("there were too many attempts: sign in again", "invalid_token")
            if wait:
                raise HttpError(
                    429,
                    "too_many_attempts",
                    f"too many attempts failed: try again in {wait} s",
                    headers={"Retry-After": str(wait)},
                )

    @asynccontextmanager
    async def guarded(self, key: str) -> AsyncIterator[None]:
        """Count an attempt under *key* before the block, and forget all of them once it succeeds; raises as `allow`."""
        await self.allow(key)
        yield
        await self.attempts.clear(key)

    async def allow_sign_in(self, claim: str, address: str, *, known: bool) -> str:
        """Count an attempt to sign in; return the key to forget when it succeeds. Raises HttpError 429.

        Where the account signed in from this *address* of late, others who guess cannot keep it out: it is counted apart.
        """
        key = _of_address(claim, address) if known else f"account:{claim}"
        await self.allow(key)
        return key

    async def knows(self, claim: str, address: str) -> bool:
        """Tell whether the account behind *claim* signed in from *address* of late."""
        return await self.attempts.knows(_of_address(claim, address))

    async def signed_in(self, claim: str, address: str, *keys: str) -> None:
        """Forget the attempts under *keys*, and remember the address."""
        for key in keys:
            await self.attempts.clear(key)
        await self.attempts.remember(_of_address(claim, address))

    def email(self, account_id: str) -> str:
        """Return the account's present e-mail address."""
        addresses = self.emails(account_id)
        return addresses[-1] if addresses else ""

    def emails(self, account_id: str) -> list[str]:
        """Return every e-mail address that the account has had, the present one last."""
        return [event.email for event in self._profiles(account_id) if event.email is not None]

    def name(self, account_id: str) -> str:
        """Return the account's present name."""
        names = [event.name for event in self._profiles(account_id) if event.name is not None]
        return names[-1] if names else ""

    def _profiles(self, account_id: str) -> list[AccountRegistered | AccountProfileChanged]:
        """Return the events that tell of the person, in order."""
        events = (item.event for item in self._log.stream_events(account_stream(account_id)))
        return [event for event in events if isinstance(event, AccountRegistered | AccountProfileChanged)]

    def notify(self, account_id: str, subject: str, text: str) -> None:
        """Tell the account by mail, later, what happened to it."""
        self.later(self._send(account_id, self.email(account_id), subject, text))

    def notify_at(self, account_id: str, address: str, subject: str, text: str) -> None:
        """Tell the account at an address that it had."""
        self.later(self._send(account_id, address, subject, text))

    async def _send(self, account_id: str, address: str, subject: str, text: str) -> None:
        await self.mailer.send(Mail(to=address, account_id=account_id, subject=subject, text=text))

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do *work* after the answer, so that its time tells nothing; what is too much is left undone."""
        if len(self._later) >= _MOST_LATER:
            work.close()
            logger.warning("too much is to be done after answers; something was left undone")
            return
        task = asyncio.ensure_future(work)
        self._later.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._later.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("something after an answer failed", reason=type(error).__name__)

    async def close(self) -> None:
        """Finish what is to be done, and let everything go."""
        if self._later:
            await asyncio.wait(self._later, timeout=_CLOSE_SECONDS)
        self.passwords.close()
        await self.attempts.close()


def _of_address(claim: str, address: str) -> str:
    return f"account:{claim}:{address}"


def now_ms() -> int:
    """Return the time in milliseconds since the epoch."""
    return int(time.time() * 1000)
