"""Mail that tells people of what changed about the security of their account."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from commands.log import EventLog
from domain.account.events import AccountProfileChanged
from domain.credentials.events import PasswordChanged, TotpDisabled, TotpEnabled
from domain.event import Event
from domain.identifiers import ACCOUNTS_HOME, account_stream
from domain.mail.events import MailKind
from domain.record import Record
from domain.session.events import EndReason, SessionEnded
from domain.token.events import TokenCreated
from jobs import notices
from jobs.context import JobContext
from jobs.job import JobData, NewJob, QueueName
from jobs.kind import HopelessError, Kind, RunningJob
from jobs.notices import Notice
from jobs.reactor import Reaction

NAME = "security-mail"
_USEFUL_SECONDS = 24 * 3_600.0


def _of_session(event: SessionEnded) -> Notice | None:
    return notices.REFRESH_REUSED if event.reason is EndReason.REUSE else None


def _of_profile(event: AccountProfileChanged) -> Notice | None:
    return None if event.email_claim is None else notices.ADDRESS_CHANGED


_NOTICES: Mapping[type[Event], Callable[[Any], Notice | None]] = {
    PasswordChanged: lambda event: notices.password_changed(tokens_revoked=event.tokens_revoked),
    TotpEnabled: lambda _: notices.TOTP_ENABLED,
    TotpDisabled: lambda _: notices.TOTP_DISABLED,
    TokenCreated: lambda event: notices.token_created(event.token_id, event.name),
    SessionEnded: _of_session,
    AccountProfileChanged: _of_profile,
}
"""From an event to what a mail says of it; None where it needs no mail."""


def notice_of(event: Event) -> Notice | None:
    """Return what a mail says of *event*, None where it needs none."""
    make = _NOTICES.get(type(event))
    return None if make is None else make(event)


def _asked(event: Event, record: Record) -> Iterable[NewJob]:
    if notice_of(event) is None:
        return ()
    account_id: str = event.account_id  # type: ignore[attr-defined] # each event of _NOTICES has one
    data: JobData = {"account": account_id, "stream": record.stream, "version": record.version}
    return (NewJob(kind=NAME, id=f"{NAME}-{record.command}-{record.commit_index}", data=data),)


REACTION = Reaction(
    topics=frozenset(event.TOPIC for event in _NOTICES), jobs=_asked, useful_seconds=_USEFUL_SECONDS
)


def security_mail(context: JobContext) -> Kind:
    """Return the kind of job that sends one mail about one event."""

    async def work(job: RunningJob) -> None:
        account_id = str(job.data["account"])
        if await context.is_recorded(account_id, job.id):
            return
        stream, version = str(job.data["stream"]), int(job.data["version"])
        event = await asyncio.to_thread(_event_of, context, stream, version)
        notice = notice_of(event)
        if notice is None:
            raise HopelessError("this event needs no mail")
        address = await asyncio.to_thread(_address, context, account_id, stream, version)
        await context.mail(
            account_id, MailKind.SECURITY, notice.subject, notice.text, key=job.id, address=address
        )

    def caused_by(data: JobData) -> str | None:
        log, record = _record_of(context, str(data["stream"]), int(data["version"]))
        return log.request_of(record)[1]

    return Kind(name=NAME, work=work, queue=QueueName.CRITICAL, attempts=10, caused_by=caused_by)


def _event_of(context: JobContext, stream: str, version: int) -> Event:
    log, record = _record_of(context, stream, version)
    return log.event(record)


def _record_of(context: JobContext, stream: str, version: int) -> tuple[EventLog, Record]:
    log: EventLog = context.logs.of(ACCOUNTS_HOME)
    records = log.stream_records(stream, version - 1, 1)
    if not records or records[0].version != version:
        raise HopelessError("the log has no such event")
    return log, records[0]


def _address(context: JobContext, account_id: str, stream: str, version: int) -> str:
    """Return the present address; of a change of address the one before, which the owner still reads."""
    addresses = context.addresses(account_id)
    if stream == account_stream(account_id):
        addresses = [each for each in addresses if each[0] < version]
    return addresses[-1][1] if addresses else ""
