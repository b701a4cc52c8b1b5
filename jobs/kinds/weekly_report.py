"""The weekly report: what happened in the projects that an account owns."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from domain.build.events import BuildQueued
from domain.commit.events import CommitRecorded
from domain.file.events import FileDeleted, FileWritten
from domain.mail.events import MailKind
from domain.review.events import ReviewDecided, ReviewOpened
from domain.times import rfc3339
from jobs.context import JobContext
from jobs.job import NewJob
from jobs.kind import Kind, RunningJob, Schedule
from jobs.kinds.notification_mail import mail_queries
from jobs.queue import JobQueue
from projections.models.activity import ACTIVITY
from projections.models.projects import PROJECTS
from projections.store import DocumentStore, Equals, Query
from projections.waiting_files import FILE_INSIGHTS
from projections.writes import Document

ALL, ONE = "weekly-reports", "weekly-report"
SCHEDULE = Schedule(ALL, "0 7 * * 1")
"""Each Monday at 7:00 UTC."""

_WEEK = timedelta(days=7)
_PAGE = 200
_MOST_LINES = 5_000
_MOST_PROJECTS = 100

_COUNTED = {
    CommitRecorded.TOPIC: "commits",
    FileWritten.TOPIC: "changed files",
    FileDeleted.TOPIC: "deleted files",
    ReviewOpened.TOPIC: "opened reviews",
    ReviewDecided.TOPIC: "decisions on reviews",
    BuildQueued.TOPIC: "builds",
}


def weekly_reports(context: JobContext, queue: JobQueue) -> Kind:
    """Return the kind of job that asks for a report for everybody who owns a project."""

    async def work(_: RunningJob) -> None:
        await context.caught_up()
        week = _monday(datetime.now(UTC))
        seen: set[str] = set()
        pages = _pages(context.store, Query(collection=PROJECTS, limit=_PAGE))
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            owners = {str(project["ownerId"]) for project in page} - seen
            seen |= owners
            await queue.add(
                [
                    NewJob(kind=ONE, id=f"{ONE}-{owner}-{week}", data={"account": owner, "week": week})
                    for owner in sorted(owners)
                    if ":" not in owner  # a service reads no mail
                ]
            )

    return Kind(name=ALL, work=work, deadline_seconds=600, concurrency=1, one_of=lambda _: "all")


def weekly_report(context: JobContext) -> Kind:
    """Return the kind of job that sends an owner the report of the week that ended last."""
    preferences = mail_queries(context)

    async def work(job: RunningJob) -> None:
        account_id, week = str(job.data["account"]), str(job.data["week"])
        if await context.is_recorded(account_id, job.id):
            return
        await context.caught_up()
        wanted = await asyncio.to_thread(preferences.preferences, account_id)
        if not wanted["weeklyReport"]:
            return
        report = await asyncio.to_thread(report_of, context.store, account_id, week)
        if report is not None:
            text = f"{report}\n\nTo get no more of these: PUT {context.public_url}/api/v1/me/notifications"
            subject = f"Your projects in the week before {week}"
            await context.mail(account_id, MailKind.REPORT, subject, text, key=job.id)

    return Kind(name=ONE, work=work, deadline_seconds=120)


def report_of(store: DocumentStore, account_id: str, week: str) -> str | None:
    """Return the report of the seven days before the day *week* (`2026-11-30`), None if nothing happened."""
    end = datetime.fromisoformat(week).replace(tzinfo=UTC)
    since, until = _text(end - _WEEK), _text(end)
    query = Query(collection=PROJECTS, where=(Equals("ownerId", account_id),), sort="createdAt", limit=_PAGE)
    parts = []
    for page in _pages(store, query):
        for project in page:
            part = _of_project(store, project, since, until)
            if part is not None:
                parts.append(part)
            if len(parts) == _MOST_PROJECTS:
                return "\n\n".join(parts)
    return "\n\n".join(parts) or None


def _of_project(store: DocumentStore, project: Document, since: str, until: str) -> str | None:
    counts: Counter[str] = Counter()
    query = Query(
        collection=ACTIVITY,
        where=(Equals("projectId", project["id"]),),
        sort="sequence",
        descending=True,
        limit=_PAGE,
    )
    looked_at = 0
    for page in _pages(store, query):
        week = [each for each in page if since <= each["at"] < until]
        counts.update(_COUNTED[each["type"]] for each in week if each["type"] in _COUNTED)
        looked_at += len(page)
        if page[-1]["at"] < since or looked_at >= _MOST_LINES:
            break
    if not counts:
        return None
    least = "at least " if looked_at >= _MOST_LINES else ""
    lines = [f"  {least}{counts[name]} {name}" for name in _COUNTED.values() if counts[name]]
    measured = store.totals(
        FILE_INSIGHTS, (Equals("projectId", project["id"]),), ("complexityTotal", "functionCount", "lines")
    )
    if functions := measured["functionCount"]:
        mean = measured["complexityTotal"] / functions
        lines.append(
            f"  mean complexity {mean:.1f} of {functions:.0f} functions, {measured['lines']:.0f} lines"
        )
    return "\n".join([f"{project['name']}", *lines])


def _pages(store: DocumentStore, query: Query) -> Iterator[list[Document]]:
    """Yield the documents of *query*, some at a time; an empty list never comes."""
    after = None
    while True:
        page = store.find(replace(query, after=after))
        if page:
            yield page
        if len(page) < query.limit:
            return
        after = (page[-1][query.sort], page[-1]["id"])


def _monday(now: datetime) -> str:
    return (now - timedelta(days=now.weekday())).date().isoformat()


def _text(moment: datetime) -> str:
    return rfc3339(round(moment.timestamp() * 1000))
