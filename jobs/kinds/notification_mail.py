"""Mail about notifications that are still unread when it is due: one for all that came in the meantime."""

import asyncio
import math
from collections.abc import Iterable

from domain.event import Event
from domain.mail.events import MailKind
from domain.preferences.events import MailTime
from domain.record import Record
from domain.times import from_rfc3339
from jobs.context import JobContext
from jobs.job import NewJob
from jobs.kind import Kind, RunningJob
from jobs.reactor import Reaction
from projections.models.notifications import NOTIFYING, notified
from projections.queries.inbox import InboxQueries
from projections.queries.mail import MailQueries
from projections.writes import Document

NAME = "notification-mail"
_USEFUL_SECONDS = 7 * 24 * 3_600.0
_HOUR, _DAY, _MORNING = 3_600, 24 * 3_600, 8 * 3_600


def due_at(time: MailTime, occurred_seconds: float, away_seconds: float) -> int:
    """Return when the mail about an event is due, in seconds since 1970.

    Events of one window have one time, and so one mail. Nobody gets a mail before *away_seconds* have passed.
    """
    earliest = occurred_seconds + away_seconds
    if time is MailTime.DAILY:
        return math.ceil((earliest - _MORNING) / _DAY) * _DAY + _MORNING
    window = _HOUR if time is MailTime.HOURLY else max(1, round(away_seconds))
    return math.ceil(earliest / window) * window


def mail_queries(context: JobContext) -> MailQueries:
    """Return the queries over the installation's read models."""
    return MailQueries(context.store, InboxQueries(context.store))


def notification_reaction(context: JobContext, away_seconds: float) -> Reaction:
    """Return what the events ask for that notify people who want mail.

    Somebody who reads a notification within *away_seconds* gets no mail about it.
    """
    queries = mail_queries(context)

    def asked(event: Event, record: Record) -> Iterable[NewJob]:
        for account_id, kind in notified(event, record.actor).items():
            time = queries.mail_time(account_id, kind)
            if time is not MailTime.OFF:
                due = due_at(time, record.occurred_at / 1000, away_seconds)
                yield NewJob(
                    kind=NAME, id=f"{NAME}-{account_id}-{due}", data={"account": account_id}, due=due * 1000
                )

    return Reaction(topics=NOTIFYING, jobs=asked, useful_seconds=_USEFUL_SECONDS)


def notification_mail(context: JobContext) -> Kind:
    """Return the kind of job that tells an account of what it has not read."""
    queries = mail_queries(context)

    def news_of(account_id: str) -> list[Document]:
        actor = context.actor(account_id)
        return [] if actor is None else queries.news(actor)

    async def work(job: RunningJob) -> None:
        account_id = str(job.data["account"])
        if await context.is_recorded(account_id, job.id):
            return
        await context.caught_up()
        news = await asyncio.to_thread(news_of, account_id)
        if not news:
            return  # everything was read in the meantime, or an earlier mail told of it
        through = max(from_rfc3339(each["createdAt"]) for each in news)
        await context.mail(
            account_id,
            MailKind.NOTIFICATIONS,
            _subject(news),
            _text(news, context.public_url),
            key=job.id,
            through=through,
        )

    return Kind(name=NAME, work=work, one_of=lambda data: str(data["account"]))


def _subject(news: list[Document]) -> str:
    return str(news[0]["title"]) if len(news) == 1 else f"{len(news)} things that you have not read"


def _text(news: list[Document], public_url: str) -> str:
    lines = [
        f"- {each['title']}" + (f"\n  {public_url}{each['link']}" if each["link"] else "")
        for each in reversed(news)
    ]
    return (
        "Since you last looked at CodePark:\n\n"
        + "\n".join(lines)
        + f"\n\nWhich mail you get: GET and PUT {public_url}/api/v1/me/notifications"
    )
