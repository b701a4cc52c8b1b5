"""What the work of jobs uses of an installation: its log, its read models, its commands and its mail."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from commands.intake import CommandMetadata, Intake, keyed_command_id
from commands.outcomes import Submission
from commands.partitions import Logs
from commands.profiles import profiles_of
from commands.unit_of_work import load
from domain.account.decider import Account
from domain.actor import JOBS, Actor
from domain.command import Command
from domain.identifiers import account_stream
from domain.mail.commands import RecordMail
from domain.mail.events import MailKind
from projections.progress import Progress
from projections.store import DocumentStore
from telemetry import tracing

_CAUGHT_UP_SECONDS = 20.0


class Deliver(Protocol):
    """Sends a mail; raises where no server took it."""

    async def __call__(self, *, account_id: str, address: str, subject: str, text: str, key: str) -> None:
        """Send a mail; two with the same *key* are the same message."""
        ...


class JobContext:
    """An installation as jobs see it. What a job changes goes through the command bus, under the job's id."""

    def __init__(
        self,
        *,
        logs: Logs[Any],
        store: DocumentStore,
        progress: Progress,
        models: tuple[str, ...],
        intake: Intake,
        execute: Callable[[Submission], Awaitable[None]],
        deliver: Deliver,
        public_url: str,
    ) -> None:
        """Read *logs* and *store*, whose *models* are as far as *progress* says.

        *execute* carries out a command and raises where it is not accepted. People reach the server at
        *public_url*.
        """
        self.logs = logs
        self.store = store
        self.public_url = public_url.rstrip("/")
        self._progress = progress
        self._models = models
        self._intake = intake
        self._execute = execute
        self._deliver = deliver

    async def caught_up(self) -> None:
        """Wait until the read models include the log's present end; raises NotCaughtUpError after 20 s."""
        tip = await asyncio.to_thread(self.logs.tip)
        await self._progress.wait(self._models, tip.sequences, _CAUGHT_UP_SECONDS)

    async def is_recorded(self, account_id: str, key: str) -> bool:
        """Return whether a mail with this key was sent to the account."""
        command_id = keyed_command_id(JOBS.id, account_id, key)
        log = self.logs.of(account_id)
        return bool(await asyncio.to_thread(log.command_records, command_id))

    async def mail(
        self,
        account_id: str,
        kind: MailKind,
        subject: str,
        text: str,
        *,
        key: str,
        address: str | None = None,
        through: int | None = None,
    ) -> None:
        """Send a mail to the account's present address, or another one of its own, and record it.

        An account without an address, because it was erased, gets none. If the process dies between the two
        steps the mail is sent again, as the same message.
        """
        address = await self.address(account_id) if address is None else address
        if not address:
            return
        await self._deliver(account_id=account_id, address=address, subject=subject, text=text, key=key)
        await self.execute(RecordMail(account_id=account_id, kind=kind, through=through), key)

    async def execute(self, command: Command, key: str) -> None:
        """Carry out a command once, however often it is called with this *key*."""
        metadata = CommandMetadata(actor=JOBS, key=key, traceparent=tracing.current().traceparent)
        await self._execute(self._intake.submit(command, None, metadata))

    async def address(self, account_id: str) -> str:
        """Return the account's present e-mail address, the empty text where it has none."""
        addresses = await asyncio.to_thread(self.addresses, account_id)
        return addresses[-1][1] if addresses else ""

    def addresses(self, account_id: str) -> list[tuple[int, str]]:
        """Return every address that the account has had, each with the stream's version that brought it."""
        profiles = profiles_of(self.logs.accounts, account_id)
        return [(version, event.email) for version, event in profiles if event.email is not None]

    def actor(self, account_id: str) -> Actor | None:
        """Return the account as it may read, None where it does not exist or was erased."""
        account: Account = load(self.logs.accounts, account_stream(account_id)).state
        if not account.exists:
            return None
        return Actor(id=account_id, roles=frozenset(account.roles), tier=account.tier)
