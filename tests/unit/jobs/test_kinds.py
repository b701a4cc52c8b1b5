"""What the kinds of jobs do, over an embedded installation and a mailbox."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from codepark.jobs_service import job_context
from commands.bus import accepted
from commands.intake import CommandMetadata
from domain.account.commands import ChangeProfile
from domain.actor import SERVICE, Actor, Role
from domain.policy import Scope
from domain.session.commands import OpenSession
from domain.token.commands import CreateToken
from jobs.kind import HopelessError
from jobs.kinds import clean_up, notification_mail, security_mail, weekly_report
from jobs.reactor import Reactor
from projections.models.sessions import SESSIONS
from projections.models.tokens import TOKENS
from projections.store import Change
from projections.writes import Put
from streams.rebuild import rebuild
from tests.support.documents import dump
from tests.support.embedded import carry_out, create_project, register, started

MINUTE = 60_000


class Box:
    """Keeps what is delivered; it may be out of order."""

    def __init__(self):
        self.mails, self.broken = [], False

    async def deliver(self, mail):
        if self.broken:
            raise ConnectionError("no mail server")
        self.mails.append(mail)


class Queue:
    """Keeps jobs that are added, as the reactor and fan-outs use it."""

    def __init__(self):
        self.jobs, self.removed, self.reached = {}, None, {}

    async def add(self, jobs):
        for job in jobs:
            self.jobs.setdefault(job.id, job)

    async def checkpoint(self, log):
        return self.reached.get(log, 0)

    async def keep_checkpoint(self, log, sequence):
        self.reached[log] = sequence

    async def remove_ended(self, before):
        self.removed = before
        return 0


class Running:
    """A job at work."""

    def __init__(self, id_, data):
        self.id, self.data = id_, data

    async def progress(self, percent):
        assert 0 <= percent <= 100


class Jobs:
    """Runs what the log asks for, kind by kind, in this process."""

    def __init__(self, profile):
        self.profile, self.box, self.queue = profile, Box(), Queue()
        self.context = job_context(profile, self.box)
        self.kinds = {
            kind.name: kind
            for kind in (
                security_mail.security_mail(self.context),
                notification_mail.notification_mail(self.context),
                weekly_report.weekly_reports(self.context, self.queue),
                weekly_report.weekly_report(self.context),
                clean_up.clean_up(self.context, self.queue),
            )
        }

    def asked(self):
        """Follow the log, and return the jobs that it asks for."""
        reactions = [security_mail.REACTION, notification_mail.notification_reaction(self.context, 1.0)]
        asyncio.run(Reactor(self.profile.logs, self.queue, reactions).catch_up())
        return list(self.queue.jobs.values())

    def run(self, kind, id_, **data):
        async def work():
            self.profile.bind(asyncio.get_running_loop())
            await self.kinds[kind].work(Running(id_, data))

        asyncio.run(work())

    def run_asked(self):
        for job in self.asked():
            self.run(job.kind, job.id, **job.data)

    def sent(self):
        return [(mail.to, mail.subject) for mail in self.box.mails]


@pytest.fixture
def jobs(tmp_path):
    with started(tmp_path / "data") as profile:
        yield Jobs(profile)


def carry(profile, command, actor=SERVICE):
    submission = profile.intake.submit(command, None, CommandMetadata(actor=actor))
    return accepted(profile.bus.execute_sync([submission])[0])


def move(jobs, account, address):
    claim = jobs.profile.intake.claim("email", address)
    command = ChangeProfile(account_id=account, email=address, name=None, email_claim=claim, name_claim=None)
    carry(jobs.profile, command, user(account))


def user(account):
    return Actor(account, roles=frozenset({Role.USER}))


def token(jobs, account, id_="t-1", *, expires_at=4_000_000_000_000):
    command = CreateToken(
        token_id=id_,
        account_id=account,
        name="nightly",
        token_hash="h",
        scopes=(Scope.READ,),
        expires_at=expires_at,
    )
    carry(jobs.profile, command, user(account))


def mention(jobs, project, actor, title="Look"):
    bob = Actor(actor, roles=frozenset({Role.USER, Role.ADMIN}))
    carry_out(jobs.profile, "review.open", project, actor=bob, title=title, description="@ada: please")


def test_a_new_address_is_told_of_at_the_one_before(jobs):
    ada = register(jobs.profile, "ada")
    move(jobs, ada, "lovelace@example.org")
    jobs.run_asked()
    assert jobs.sent() == [("ada@example.org", "Your address was changed")]


def test_a_mail_is_sent_once_however_often_its_job_runs(jobs):
    ada = register(jobs.profile, "ada")
    token(jobs, ada)
    jobs.run_asked()
    jobs.run_asked()
    assert jobs.sent() == [("ada@example.org", "An API token was created")]
    assert "“nightly”" in jobs.box.mails[0].text


def test_a_mail_that_no_server_took_is_sent_later_as_the_same_message(jobs):
    token(jobs, register(jobs.profile, "ada"))
    jobs.box.broken = True
    with pytest.raises(ConnectionError):
        jobs.run_asked()
    jobs.box.broken = False
    jobs.run_asked()
    assert [mail.key for mail in jobs.box.mails] == [next(iter(jobs.queue.jobs))]


def test_jobs_hold_no_word_of_anybody(jobs):
    ada = register(jobs.profile, "ada")
    project = create_project(jobs.profile)
    token(jobs, ada)
    move(jobs, ada, "lovelace@example.org")
    mention(jobs, project, "01900000-0000-7000-8000-000000000099")
    shown = repr(jobs.asked())
    for word in ("ada", "nightly", "lovelace", "Look", "please"):
        assert word not in shown


def test_a_job_about_an_event_that_the_log_does_not_have_is_hopeless(jobs):
    data: dict[str, Any] = {"account": "a", "stream": "credentials-a", "version": 3}
    with pytest.raises(HopelessError, match="no such event"):
        jobs.run("security-mail", "security-mail-x", **data)


def test_news_are_told_of_once_and_only_those_that_came_after(jobs):
    ada = register(jobs.profile, "ada")
    project = create_project(jobs.profile, visibility="public")
    other = "01900000-0000-7000-8000-000000000099"
    mention(jobs, project, other, "First")
    mention(jobs, project, other, "Second")
    jobs.run("notification-mail", f"notification-mail-{ada}-1", account=ada)
    jobs.run("notification-mail", f"notification-mail-{ada}-2", account=ada)
    assert jobs.sent() == [("ada@example.org", "2 things that you have not read")]
    assert jobs.box.mails[0].text.index("First") < jobs.box.mails[0].text.index("Second")
    mention(jobs, project, other, "Third")
    jobs.run("notification-mail", f"notification-mail-{ada}-3", account=ada)
    assert "First" not in jobs.box.mails[1].text
    assert jobs.box.mails[1].subject.endswith("mentioned you in the review “Third”")


def test_news_that_were_read_or_that_nobody_wants_by_mail_are_not_told_of(jobs):
    ada = register(jobs.profile, "ada")
    own = user(ada)
    project = create_project(jobs.profile, visibility="public")
    mention(jobs, project, "01900000-0000-7000-8000-000000000099")
    assert [job.kind for job in jobs.asked()] == ["notification-mail"]
    carry_out(jobs.profile, "notifications.read", actor=own)
    jobs.run("notification-mail", "notification-mail-1", account=ada)
    carry_out(
        jobs.profile,
        "preferences.change",
        actor=own,
        mentioned={"live": True, "mail": "off"},
    )
    mention(jobs, project, "01900000-0000-7000-8000-000000000099")
    assert len(jobs.asked()) == 1
    jobs.run("notification-mail", "notification-mail-2", account=ada)
    assert jobs.sent() == []


def test_the_weekly_report_counts_what_happened_in_the_week_before(jobs):
    ada = register(jobs.profile, "ada")
    own = user(ada)
    project = create_project(jobs.profile, "Park", actor=own)
    carry_out(jobs.profile, "file.write", project, actor=own, path="a.py", content="def f():\n    return 1\n")
    carry_out(jobs.profile, "build.queue", project, actor=own, name="tests")
    create_project(jobs.profile, "Silent", actor=own)
    jobs.run("weekly-reports", "weekly-reports-1")
    asked = list(jobs.queue.jobs.values())
    assert [(job.kind, job.data["account"]) for job in asked] == [("weekly-report", ada)]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    jobs.run("weekly-report", "weekly-report-1", account=ada, week=tomorrow)
    jobs.run("weekly-report", "weekly-report-1", account=ada, week=tomorrow)
    jobs.run("weekly-report", "weekly-report-2", account=ada, week="2020-01-06")
    assert jobs.sent() == [("ada@example.org", f"Your projects in the week before {tomorrow}")]
    text = jobs.box.mails[0].text
    assert "Park\n  1 changed files\n  1 builds" in text
    assert "Silent" not in text


def test_clean_up_ends_what_expired_by_events_so_that_a_rebuild_equals_it(jobs):
    ada, profile = register(jobs.profile, "ada"), jobs.profile
    now = round(time.time() * 1000)
    for id_, expires_at in (("old", now - MINUTE), ("new", now + 60 * MINUTE)):
        opened = OpenSession(
            session_id=id_,
            account_id=ada,
            token_id="r",
            opened_at=now,
            expires_at=expires_at,
            user_agent="",
            address="",
            epoch=0,
            second_factor=False,
        )
        carry(profile, opened)
        token(jobs, ada, f"t-{id_}", expires_at=expires_at)
    jobs.run("clean-up", "clean-up-1")
    jobs.run("clean-up", "clean-up-1")
    assert profile.store.get(SESSIONS, "old") is None
    assert profile.store.get(SESSIONS, "new") is not None
    assert profile.store.get(TOKENS, "t-old") is None
    assert profile.store.get(TOKENS, "t-new") is not None
    assert jobs.queue.removed == pytest.approx(now - clean_up.KEPT_SECONDS * 1000, abs=MINUTE)
    before = [list(dump(profile.store, name)) for name in (SESSIONS, TOKENS)]
    for name in (SESSIONS, TOKENS):
        model = next(each for each in profile.models if each.name == name)
        rebuild(profile.log, profile.store, model, profile.runners[0])
    assert [list(dump(profile.store, name)) for name in (SESSIONS, TOKENS)] == before


def test_an_expired_token_that_cannot_be_revoked_does_not_keep_the_others(jobs):
    ada, profile = register(jobs.profile, "ada"), jobs.profile
    past = round(time.time() * 1000) - MINUTE
    for number in (1, 2):
        token(jobs, ada, f"t-{number}", expires_at=past + number)
    document = {**profile.store.get(TOKENS, "t-1"), "id": "t-0", "accountId": "nobody"}
    checkpoint = profile.store.checkpoints()[TOKENS]
    writes = ((checkpoint.sequence + 1, (Put(TOKENS, "t-0", document),)),)
    profile.store.apply([Change(model=TOKENS, writes=writes, checkpoint=checkpoint)])
    jobs.run("clean-up", "clean-up-1")
    assert profile.store.get(TOKENS, "t-1") is None
    assert profile.store.get(TOKENS, "t-2") is None
    assert profile.store.get(TOKENS, "t-0") is not None
