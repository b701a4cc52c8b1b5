"""What every queue does: ids, states, pages, retries, cancellation, schedules, checkpoints."""

import asyncio
import time

import pytest

from jobs.job import JobError, JobNotFoundError, JobState, NewJob
from jobs.kind import HopelessError, Schedule
from tests.contract.jobs.conftest import BACKGROUND, CRITICAL, nothing
from tests.support.time_scale import stretched

HOUR = 3_600_000


def now():
    return round(time.time() * 1000)


def test_a_job_is_done_and_shows_it(with_queue):
    done = []

    async def work(job):
        await job.progress(50)
        done.append((job.id, dict(job.data)))

    async def scenario(bench):
        bench.kind("note", work)
        worker = bench.worker()
        id_ = await bench.add("note", "note-1", data={"account": "a-1", "count": 3})
        job = await bench.ends(id_)
        await worker.stop()
        assert done == [("note-1", {"account": "a-1", "count": 3})]
        assert (job.kind, job.queue, job.progress, job.attempts, job.reason) == (
            "note",
            BACKGROUND,
            50,
            1,
            None,
        )
        assert job.data == {"account": "a-1", "count": 3}
        assert job.added_at <= job.started_at <= job.finished_at

    with_queue(scenario)


def test_a_job_with_an_id_that_the_queue_has_is_not_added(with_queue):
    done = []

    async def work(job):
        done.append(job.id)

    async def scenario(bench):
        bench.kind("note", work)
        await bench.queue.add([NewJob(kind="note", id="note-one"), NewJob(kind="note", id="note-one")])
        worker = bench.worker()
        await bench.ends("note-one")
        await bench.add("note", "note-one")
        await bench.ends(await bench.add("note", "note-two"))
        await worker.stop()
        assert done == ["note-one", "note-two"]

    with_queue(scenario)


def test_a_failed_attempt_is_repeated_until_it_succeeds(with_queue):
    attempts = []

    async def work(job):
        attempts.append(time.time())
        if len(attempts) < 3:
            raise ConnectionError("mail for ada@example.org")

    async def scenario(bench):
        bench.kind("mail", work, pause_seconds=0.1)
        worker = bench.worker()
        job = await bench.ends(await bench.add("mail"))
        await worker.stop()
        assert job.attempts == 3
        assert attempts[1] - attempts[0] >= 0.05
        assert attempts[2] - attempts[1] >= 0.1

    with_queue(scenario)


def test_a_job_that_fails_for_the_last_time_is_a_dead_letter_until_it_is_retried(with_queue):
    broken = True

    async def work(job):
        if broken:
            raise ConnectionError("mail for ada@example.org")

    async def scenario(bench):
        nonlocal broken
        bench.kind("mail", work, pause_seconds=0.05, attempts=2)
        worker = bench.worker()
        job = await bench.ends(await bench.add("mail"), JobState.FAILED)
        assert (job.attempts, job.most_attempts) == (2, 2)
        assert job.reason == "ConnectionError"  # no word of what people wrote
        with pytest.raises(JobError, match="has not ended"):
            await bench.queue.cancel(job.id)
        broken = False
        await bench.queue.retry(job.id)
        assert (await bench.ends(job.id)).reason is None
        with pytest.raises(JobError, match="only one that failed"):
            await bench.queue.retry(job.id)
        await worker.stop()

    with_queue(scenario)


def test_a_hopeless_job_is_not_tried_again(with_queue):
    attempts = []

    async def work(job):
        attempts.append(job.id)
        raise HopelessError("the project is gone")

    async def scenario(bench):
        bench.kind("report", work, pause_seconds=0.01)
        worker = bench.worker()
        job = await bench.ends(await bench.add("report"), JobState.FAILED)
        await worker.stop()
        assert (len(attempts), job.reason) == (1, "the project is gone")

    with_queue(scenario)


def test_an_attempt_that_takes_too_long_fails(with_queue):
    async def work(job):
        await asyncio.sleep(stretched(60))

    async def scenario(bench):
        bench.kind("slow", work, deadline_seconds=0.2, attempts=1)
        worker = bench.worker()
        job = await bench.ends(await bench.add("slow"), JobState.FAILED)
        await worker.stop()
        assert job.reason == "it took longer than 0.2 s"

    with_queue(scenario)


def test_a_job_begins_when_it_is_due_and_not_up_to_a_second_later(with_queue):
    begun = []

    async def work(job):
        begun.append(now())

    async def scenario(bench):
        bench.kind("note", work)
        worker = bench.worker()
        await bench.ends(await bench.add("note"))  # the worker waits for the next one
        due = now() + 300
        id_ = await bench.add("note", due=due)
        assert (await bench.queue.get(id_)).due_at == pytest.approx(due, abs=50)
        await bench.ends(id_)
        await worker.stop()
        assert 0 <= begun[1] - due < stretched(0.5) * 1000

    with_queue(scenario)


def test_critical_jobs_do_not_wait_for_background_jobs(with_queue):
    begun, release = [], asyncio.Event()

    async def background(job):
        await release.wait()

    async def critical(job):
        begun.append(now())

    async def scenario(bench):
        bench.kind("report", background)
        bench.kind("mail", critical, queue=CRITICAL)
        worker = bench.worker()
        await bench.queue.add([NewJob(kind="report", id=f"report-{number}") for number in range(1_000)])
        asked = now()
        await bench.ends(await bench.add("mail"))
        figures = await bench.queue.figures()
        release.set()
        await worker.stop()
        assert begun[0] - asked < stretched(0.1) * 1000
        assert figures[BACKGROUND].counts[JobState.WAITING] > 900
        assert figures[BACKGROUND].oldest <= asked

    with_queue(scenario)


def test_a_kind_runs_as_many_at_once_as_it_may(with_queue):
    running = most = 0

    async def work(job):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1

    async def scenario(bench):
        bench.kind("heavy", work, concurrency=2)
        worker = bench.worker()
        ids = [await bench.add("heavy") for _ in range(10)]
        for id_ in ids:
            await bench.ends(id_)
        await worker.stop()
        assert most == 2

    with_queue(scenario)


def test_jobs_of_one_key_run_one_at_a_time_in_all_workers(with_queue):
    running, most = {}, {}

    async def work(job):
        key = job.data["project"]
        running[key] = running.get(key, 0) + 1
        most[key] = max(most.get(key, 0), running[key])
        await asyncio.sleep(0.05)
        running[key] -= 1

    async def scenario(bench):
        bench.kind("build", work, one_of=lambda data: data["project"], concurrency=8)
        workers = [bench.worker(), bench.worker()]
        ids = [await bench.add("build", data={"project": f"p-{number % 2}"}) for number in range(6)]
        for id_ in ids:
            await bench.ends(id_, seconds=40)
        for worker in workers:
            await worker.stop()
        assert most == {"p-0": 1, "p-1": 1}

    with_queue(scenario)


def test_a_job_at_work_is_interrupted_when_it_is_cancelled(with_queue):
    interrupted = asyncio.Event()

    async def work(job):
        try:
            await asyncio.sleep(stretched(60))
        except asyncio.CancelledError:
            interrupted.set()
            raise

    async def scenario(bench):
        bench.kind("slow", work)
        worker = bench.worker()
        id_ = await bench.add("slow")
        await bench.ends(id_, JobState.ACTIVE)
        assert (await bench.queue.cancel(id_)).cancelled
        job = await bench.ends(id_, JobState.FAILED)
        await worker.stop()
        assert (job.cancelled, job.reason, interrupted.is_set()) == (True, "cancelled", True)

    with_queue(scenario)


def test_a_job_that_was_cancelled_before_it_began_never_runs_unless_it_is_retried(with_queue):
    done = []

    async def work(job):
        done.append(job.id)

    async def scenario(bench):
        bench.kind("note", work)
        await bench.add("note", "note-first")
        await bench.queue.cancel("note-first")
        worker = bench.worker()
        assert (await bench.ends("note-first", JobState.FAILED)).cancelled
        assert done == []
        assert not (await bench.queue.retry("note-first")).cancelled
        await bench.ends("note-first")
        await worker.stop()
        assert done == ["note-first"]

    with_queue(scenario)


def test_pages_show_each_job_once_in_the_order_of_their_states(with_queue):
    async def failing(job):
        raise HopelessError("no")

    async def scenario(bench):
        bench.kind("good", nothing)
        bench.kind("bad", failing, queue=CRITICAL)
        worker = bench.worker()
        done = [await bench.add("good", f"good-{number}") for number in range(3)]
        for id_ in done:
            await bench.ends(id_)
        await bench.ends(await bench.add("bad", "bad-1"), JobState.FAILED)
        await worker.stop()
        await bench.add("good", "good-waiting")
        await bench.add("good", "good-delayed", due=now() + HOUR)
        shown = []
        for skip in range(0, 8, 2):
            shown += [job.id for job in await bench.queue.page(None, None, skip=skip, limit=2)]
        assert shown[:3] == ["good-waiting", "good-delayed", "bad-1"]
        assert sorted(shown[3:]) == done
        assert [job.id for job in await bench.queue.page(CRITICAL, None, skip=0, limit=9)] == ["bad-1"]
        failed = await bench.queue.page(None, JobState.FAILED, skip=0, limit=9)
        assert [job.id for job in failed] == ["bad-1"]
        assert await bench.queue.remove_ended(now() + 1) == 4
        with pytest.raises(JobNotFoundError):
            await bench.queue.get("bad-1")

    with_queue(scenario)


def test_a_schedule_adds_jobs_and_one_that_is_gone_does_not(with_queue):
    async def scenario(bench):
        bench.kind("hourly", nothing)
        bench.kind("daily", nothing)
        await bench.queue.schedule([Schedule("hourly", "0 * * * *"), Schedule("daily", "0 8 * * *")])
        first = await bench.queue.page(BACKGROUND, JobState.DELAYED, skip=0, limit=9)
        await bench.queue.schedule([Schedule("hourly", "0 * * * *"), Schedule("daily", "0 8 * * *")])
        again = await bench.queue.page(BACKGROUND, JobState.DELAYED, skip=0, limit=9)
        assert {job.kind: job.id for job in again} == {job.kind: job.id for job in first}
        hourly = next(job for job in first if job.kind == "hourly")
        assert hourly.due_at % HOUR == 0
        assert 0 < hourly.due_at - now() <= HOUR
        await bench.queue.schedule([Schedule("daily", "0 8 * * *")])
        left = await bench.queue.page(BACKGROUND, JobState.DELAYED, skip=0, limit=9)
        assert [job.kind for job in left] == ["daily"]

    with_queue(scenario)


def test_each_log_has_a_checkpoint(with_queue):
    async def scenario(bench):
        assert await bench.queue.checkpoint("log-1:3") == 0
        await bench.queue.keep_checkpoint("log-1:3", 12)
        await bench.queue.keep_checkpoint("log-1:3", 7)
        assert await bench.queue.checkpoint("log-1:3") == 7
        assert await bench.queue.checkpoint("log-1:4") == 0

    with_queue(scenario)


def test_an_unknown_kind_and_other_data_than_ids_are_refused(with_queue):
    async def scenario(bench):
        bench.kind("note", nothing)
        with pytest.raises(JobError, match="no kind of job called other"):
            await bench.add("other", "note-x")
        for data in ({"email": "ada@example.org"}, {"title": "A title"}, {"nested": {"id": 1}}):
            with pytest.raises(JobError, match="of a job is"):
                await bench.add("note", "note-x", data=data)
        with pytest.raises(JobNotFoundError):
            await bench.queue.get("note-x")

    with_queue(scenario)


@pytest.mark.parametrize("id_", ["delayed", "meta", "waiting-children", "repeat:hourly", "note-1:lock"])
def test_the_queue_s_own_names_are_no_jobs(with_queue, id_):
    async def scenario(bench):
        bench.kind("note", nothing)
        bench.kind("hourly", nothing)
        await bench.queue.schedule([Schedule("hourly", "0 * * * *")])
        await bench.add("note", "note-1", due=now() + HOUR)
        with pytest.raises(JobNotFoundError):
            await bench.queue.get(id_)

    with_queue(scenario)


@pytest.mark.parametrize("id_", ["delayed", "waiting-children", "a:b", "", "note", "note-" + "x" * 200])
def test_an_id_that_could_be_another_name_is_refused(id_):
    with pytest.raises(JobError, match="cannot be the id"):
        NewJob(kind="note", id=id_)
