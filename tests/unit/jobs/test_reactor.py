"""The reactor adds what the log asks for, also after a loss of the queue."""

import asyncio

import pytest

from commands.partitions import Logs
from domain.announcement.events import AnnouncementPublished
from domain.project.events import ProjectCreated
from jobs.job import NewJob
from jobs.reactor import Reaction, Reactor
from tests.support.embedded import carry_out, create_project, started
from tests.support.time_scale import stretched

YEAR = 365 * 24 * 3_600.0


class Queue:
    """Keeps what is added, by id, and checkpoints."""

    def __init__(self):
        self.jobs = {}
        self.checkpoints = {}
        self.added = 0
        self.grown = asyncio.Event()

    async def add(self, jobs):
        self.added += len(jobs)
        if jobs:
            self.grown.set()
        for job in jobs:
            self.jobs.setdefault(job.id, job)

    async def checkpoint(self, log):
        return self.checkpoints.get(log, 0)

    async def keep_checkpoint(self, log, sequence):
        self.checkpoints[log] = sequence


def asked(event, record):
    return [NewJob(kind="note", id=f"note-{event.announcement_id}", data={"sequence": record.sequence})]


REACTION = Reaction(topics=frozenset({AnnouncementPublished.TOPIC}), jobs=asked, useful_seconds=YEAR)


@pytest.fixture
def profile(tmp_path):
    with started(tmp_path / "data") as opened:
        yield opened


def announce(profile, count):
    for number in range(count):
        carry_out(profile, "announcement.publish", title=f"News {number}", text="Text")


def follow(profile, queue, reaction=REACTION, **more):
    reactor = Reactor(Logs([profile.log]), queue, [reaction], **more)
    asyncio.run(reactor.catch_up())


def test_each_event_of_the_topic_asks_for_a_job_once(profile):
    queue = Queue()
    announce(profile, 2)
    create_project(profile)
    follow(profile, queue)
    follow(profile, queue)
    assert (len(queue.jobs), queue.added) == (2, 2)
    assert list(queue.checkpoints.values()) == [profile.log.tip().sequence]


def test_a_queue_that_lost_its_last_jobs_gets_them_again(profile):
    queue = Queue()
    announce(profile, 3)
    follow(profile, queue)
    everything = dict(queue.jobs)
    name = next(iter(queue.checkpoints))
    queue.checkpoints[name] -= 1
    del queue.jobs[list(queue.jobs)[-1]]
    follow(profile, queue)
    assert queue.jobs == everything


def test_an_empty_queue_gets_everything_again_that_is_still_useful(profile):
    announce(profile, 2)
    queue = Queue()
    follow(profile, queue)
    emptied = Queue()
    follow(profile, emptied)
    assert emptied.jobs == queue.jobs
    too_late = Queue()
    follow(profile, too_late, clock=lambda: 4e9)
    assert too_late.jobs == {}
    assert too_late.checkpoints == emptied.checkpoints


def test_a_checkpoint_beyond_the_end_belongs_to_a_later_copy_of_the_log(profile):
    queue = Queue()
    announce(profile, 1)
    follow(profile, queue)
    name = next(iter(queue.checkpoints))
    queue.jobs, queue.checkpoints[name] = {}, 1_000
    follow(profile, queue)
    assert len(queue.jobs) == 1
    assert queue.checkpoints[name] == profile.log.tip().sequence


def test_the_reactor_wakes_when_the_log_grows(profile):
    queue = Queue()

    async def scenario():
        reactor = Reactor(Logs([profile.log]), queue, [REACTION])
        running = asyncio.ensure_future(reactor.run())
        await asyncio.to_thread(announce, profile, 1)
        await asyncio.wait_for(queue.grown.wait(), stretched(4))
        running.cancel()

    asyncio.run(scenario())


def test_two_reactions_to_one_topic_are_a_mistake():
    other = Reaction(
        topics=frozenset({AnnouncementPublished.TOPIC, ProjectCreated.TOPIC}), jobs=asked, useful_seconds=1
    )
    with pytest.raises(TypeError, match="two reactions"):
        Reactor(None, Queue(), [REACTION, other])
