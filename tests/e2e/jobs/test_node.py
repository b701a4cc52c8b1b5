"""The npm package `bullmq` reads what our jobs did, and adds one that we run."""

import asyncio

import pytest

from codepark.valkey import Valkey
from jobs.job import JobState
from jobs.kind import HopelessError, Schedule
from tests.contract.jobs.conftest import Bench, answering
from tests.e2e.graphql.node import run
from tests.e2e.jobs import FOLDER

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

HOUR = 3_600_000


def test_a_program_for_node_reads_our_jobs_and_adds_one(tmp_path):
    server, done = Valkey(tmp_path / "queue"), []

    async def note(job):
        await job.progress(70)
        done.append(job.data["account"])

    async def fail(job):
        raise HopelessError("the project is gone")

    async def flaky(job):
        if len(done) < 2:
            done.append("tried")
            raise ConnectionError("no server")

    async def scenario():
        bench = Bench(f"unix://{server.socket}")
        await answering(bench.queue)
        bench.kind("note", note)
        bench.kind("report", fail)
        bench.kind("flaky", flaky, pause_seconds=0.05)
        await bench.queue.schedule([Schedule("note", "0 8 * * *")])
        worker = bench.worker()
        await bench.ends(await bench.add("note", "note-1", data={"account": "a-1"}))
        await bench.ends(await bench.add("flaky", "flaky-1"))
        await bench.ends(await bench.add("report", "report-1"), JobState.FAILED)
        seen = await asyncio.to_thread(run, "look.mjs", str(server.socket), bench.prefix, folder=FOLDER)
        await worker.stop()
        await bench.queue.close()
        return seen

    try:
        seen = asyncio.run(scenario())
    finally:
        server.close()
    shown = {job["id"]: job for job in seen["shown"]}
    assert shown["note-1"] == {
        "id": "note-1",
        "name": "note",
        "state": "completed",
        "progress": 70,
        "attempts": 1,
        "reason": None,
        "data": {"account": "a-1"},
        "priority": 10,
    }
    assert (shown["flaky-1"]["state"], shown["flaky-1"]["attempts"]) == ("completed", 2)
    assert (shown["report-1"]["state"], shown["report-1"]["reason"]) == ("failed", "the project is gone")
    assert seen["counts"] == {"completed": 2, "failed": 1, "delayed": 1}
    assert seen["schedules"] == [{"key": "note", "pattern": "0 8 * * *", "tz": "UTC"}]
    assert seen["added"] == "completed"
    assert done[-1] == "from-node"
