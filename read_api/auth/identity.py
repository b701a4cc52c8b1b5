"""What sign-in needs: passwords, counters of attempts, tokens, accounts and mail."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from commands.log import EventLog, LogUnavailableError
from commands.profiles import Profile, profiles_of
from commands.queue import BusyError
from commands.secrets import Secrets
from commands.unit_of_work import load
from domain.actor import Role
from domain.command import Command
from domain.identifiers import SIGNING_STREAM
from domain.record import Record
from domain.signing.decider import Signing
from domain.signing.events import SigningKeyRotated
from domain.token.commands import RecordOperatorToken
from jobs.notices import Notice
from read_api.auth.attempts import NEVER, Attempts
from read_api.auth.keys import SigningKeys
from read_api.auth.mail import Mail, Mailer
from read_api.auth.passwords import MEMORY, Passwords
from read_api.auth.principals import Principals
from read_api.auth.tokens import Claims, Tokens, unauthorized
from read_api.problems import HttpError
from telemetry.instruments import SIGN_INS

_MOST_BACKGROUND_TASKS = 256
_CLOSE_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class Identity:
    """Check credentials, limit attempts, read accounts, and send mail about them."""

    def __init__(
        self,
        log: EventLog,
        secrets: Secrets,
        *,
        attempts: Attempts,
        mailer: Mailer,
        public_url: str,
        verifies: bool = False,
        password_memory: int = MEMORY,
        record: Callable[[Command], Awaitable[None]] | None = None,
        jobs_notify: bool = False,
    ) -> None:
        """Read accounts from *log*; *public_url* is the address at which people reach this server.

        With *verifies*, addresses are verified by mail. *record* carries out a command of the
        server's own. Checking a password takes *password_memory* MiB. With *jobs_notify*, the events of a
        change ask for its mail, and a job sends it.
        """
        self.secrets = secrets
        self.passwords = Passwords(password_memory)
        self.attempts = attempts
        self.mailer = mailer
        self.public_url = public_url.rstrip("/")
        self.verifies = verifies
        self._record = record
        self._jobs_notify = jobs_notify
        self._log = log
        self._signing: Signing | None = None
        log.on_append(self._rotated, frozenset({SigningKeyRotated.TOPIC}))
        self.tokens = Tokens(SigningKeys(secrets, self._generations))
        self.principals = Principals(log, self.tokens, secrets, verifies=verifies)
        self.principals.on_operator_token = self._note_operator_token
        self.clock = time.time
        self._background: set[asyncio.Task[None]] = set()

    def _generations(self) -> Signing:
        signing = self._signing
        if signing is None:
            signing = self._signing = load(self._log, SIGNING_STREAM).state
        return signing

    def _rotated(self, _: Sequence[Record]) -> None:
        self._signing = None

    def _note_operator_token(self, claims: Claims) -> None:
        """Record, after the answer, that the operator's token was used for the first time."""
        if self._record is not None:
            self.run_after_answer(self._recorded(self._record, claims))

    async def _recorded(self, record: Callable[[Command], Awaitable[None]], claims: Claims) -> None:
        command = RecordOperatorToken(
            token_id=claims.token_id,
            principal_id=claims.subject,
            operated_by=claims.operated_by,
            roles=tuple(role for role in Role if role in claims.roles),
            tier=claims.tier,
            issued_at=round(claims.issued * 1000),
            expires_at=round(claims.expires * 1000),
        )
        try:
            await record(command)
        except (LogUnavailableError, BusyError) as error:
            self.principals.forget_use(claims.token_id)
            logger.warning("the use of an operator's token is not recorded yet", reason=str(error))

    async def allow(self, *keys: str, most: int | None = None, guards: bool = True) -> None:
        """Count an attempt under each of *keys*; what *guards* means is explained at Attempts.

        Raises HttpError 429 where an attempt comes too early, and 401 where *most* were made before.
        """
        for key in keys:
            wait = await self.attempts.attempt(key, most, guards=guards)
            if wait == NEVER:
                raise unauthorized("too many wrong codes: sign in again", "invalid_token")
            if wait:
                SIGN_INS.labels("delayed").inc()
                raise HttpError(
                    429,
                    "too_many_attempts",
                    f"too many failed attempts: try again in {wait} s",
                    headers={"Retry-After": str(wait)},
                )

    @asynccontextmanager
    async def guarded(self, key: str) -> AsyncIterator[None]:
        """Count an attempt under *key*, run the block, and forget the attempts where it succeeds.

        Raises HttpError as `allow` does.
        """
        await self.allow(key)
        yield
        await self.attempts.clear(key)

    async def allow_sign_in(self, claim: str, address: str, *, known: bool, exists: bool) -> str:
        """Count an attempt to sign in; return the key to forget when it succeeds. Raises HttpError 429.

        Where no account *exists*, there is nothing to guess; the answers are the same.

        An *address* that is *known* (the account signed in from it recently) has a counter of its own: a
        caller elsewhere who guesses passwords cannot lock the owner of the account out.
        """
        key = _of_address(claim, address) if known else f"account:{claim}"
        await self.allow(key, guards=exists)
        return key

    async def knows_address(self, claim: str, address: str) -> bool:
        """Return whether the account with this *claim* signed in from *address* in the last 30 days."""
        return await self.attempts.succeeded_recently(_of_address(claim, address))

    async def signed_in(self, claim: str, address: str, *keys: str) -> None:
        """Forget the attempts under *keys*, and remember that the account signed in from *address*."""
        SIGN_INS.labels("accepted").inc()
        for key in keys:
            await self.attempts.clear(key)
        await self.attempts.remember_success(_of_address(claim, address))

    def email(self, account_id: str) -> str:
        """Return the account's current e-mail address, the empty text where it has none."""
        addresses = self.emails(account_id)
        return addresses[-1] if addresses else ""

    def emails(self, account_id: str) -> list[str]:
        """Return every e-mail address that the account has had, the current one last."""
        return [event.email for event in self._profiles(account_id) if event.email is not None]

    def name(self, account_id: str) -> str:
        """Return the account's current name, the empty text where it has none."""
        names = [event.name for event in self._profiles(account_id) if event.name is not None]
        return names[-1] if names else ""

    def _profiles(self, account_id: str) -> list[Profile]:
        """Return the events that carry the person's data, in order."""
        return [event for _, event in profiles_of(self._log, account_id)]

    def notify(self, account_id: str, notice: Notice) -> None:
        """Send a mail about the account to its current address, after the answer, unless a job does."""
        if not self._jobs_notify:
            self.notify_at(account_id, self.email(account_id), notice)

    def notify_at(self, account_id: str, address: str, notice: Notice) -> None:
        """Send a mail about the account to *address*, one that it had, as `notify` does."""
        if not self._jobs_notify:
            mail = Mail(to=address, account_id=account_id, subject=notice.subject, text=notice.text)
            self.run_after_answer(self.mailer.send(mail))

    def run_after_answer(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* in the background, so that the time of the answer does not reveal what it did.

        With 256 tasks running already, *work* is dropped and the drop is logged.
        """
        if len(self._background) >= _MOST_BACKGROUND_TASKS:
            work.close()
            logger.warning("too many background tasks: one was dropped", running=len(self._background))
            return
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a background task failed", reason=type(error).__name__)

    async def close(self) -> None:
        """Wait up to 5 s for the background tasks, then release threads and connections."""
        if self._background:
            await asyncio.wait(self._background, timeout=_CLOSE_SECONDS)
        self.passwords.close()
        await self.attempts.close()


def _of_address(claim: str, address: str) -> str:
    return f"account:{claim}:{address}"


def now_ms() -> int:
    """Return the time in milliseconds since the epoch."""
    return int(time.time() * 1000)
