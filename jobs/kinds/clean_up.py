"""Clean-up: sessions and tokens that expired, and jobs that ended long ago.

What a read model loses, it loses by an event, so that a rebuild equals it.
"""

import asyncio
import time

import structlog

from domain.errors import Refusal
from domain.session.commands import EndSession
from domain.session.events import EndReason
from domain.times import rfc3339
from domain.token.commands import RevokeToken
from jobs.context import JobContext
from jobs.kind import Kind, RunningJob, Schedule
from jobs.queue import JobQueue
from projections.models.sessions import SESSIONS
from projections.models.tokens import TOKENS
from projections.store import DocumentStore, Query
from projections.writes import Document

NAME = "clean-up"
SCHEDULE = Schedule(NAME, "30 3 * * *")
"""Each day at 3:30 UTC."""

KEPT_SECONDS = 30 * 24 * 3_600
"""How long jobs are kept that ended."""

logger = structlog.get_logger(__name__)

_PAGE = 200
_MOST_A_RUN = 20_000


def clean_up(context: JobContext, queue: JobQueue) -> Kind:
    """Return the kind of job that cleans up once a day."""

    async def work(job: RunningJob) -> None:
        await context.caught_up()
        now = round(time.time() * 1000)
        before = rfc3339(now)
        done = 0
        for collection in (SESSIONS, TOKENS):
            for page in await asyncio.to_thread(_expired, context.store, collection, before):
                for document in page:
                    await _end(context, collection, document)
                done += len(page)
                await job.progress(min(90, done * 90 // _MOST_A_RUN))
        await queue.remove_ended(now - KEPT_SECONDS * 1000)

    return Kind(name=NAME, work=work, deadline_seconds=600, concurrency=1, one_of=lambda _: "all")


async def _end(context: JobContext, collection: str, document: Document) -> None:
    """End what expired; one that cannot be ended must not keep the others, so that it is logged and stays."""
    try:
        await context.execute(_ending(collection, document), f"{NAME}-{document['id']}")
    except Refusal as refusal:
        logger.warning("an expired document stays", collection=collection, reason=refusal.code)


def _ending(collection: str, document: Document) -> EndSession | RevokeToken:
    if collection == SESSIONS:
        return EndSession(
            session_id=document["id"], account_id=document["accountId"], reason=EndReason.EXPIRED
        )
    return RevokeToken(token_id=document["id"], account_id=document["accountId"])


def _expired(store: DocumentStore, collection: str, before: str) -> list[list[Document]]:
    """Return the documents that expired, the oldest first, at most 20,000 of them."""
    pages: list[list[Document]] = []
    after = None
    while len(pages) * _PAGE < _MOST_A_RUN:
        query = Query(collection=collection, sort="expiresAt", limit=_PAGE, after=after)
        page = [document for document in store.find(query) if document["expiresAt"] < before]
        if page:
            pages.append(page)
        if len(page) < _PAGE:
            return pages
        after = (page[-1]["expiresAt"], page[-1]["id"])
    return pages
