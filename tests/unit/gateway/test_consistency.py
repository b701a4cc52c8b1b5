"""What an answer includes: all that was acknowledged, and the caller's position; and blocked projects."""

import asyncio

import pytest

from commands.log import LogUnavailableError
from commands.outcomes import Accepted
from commands.position import START, Position
from domain.errors import NotFoundError
from projections.insights_model import INSIGHTS
from projections.progress import BlockedError, NotCaughtUpError, Progress
from projections.queries.page import Page
from projections.store import StoreUnavailableError
from read_api.gateway.consistency import Consistency
from read_api.problems import BadInputError, HttpError
from tests.support.partitions import memory_logs
from tests.support.time_scale import stretched

MODELS = ("projects", "files")
QUERIES = "the query objects"


class Live:
    """The live source: as far as the logs are."""

    def __init__(self, logs):
        self._logs = logs

    def tip(self, partition=0):
        return self._logs[partition].tip().sequence

    async def changed(self, after):
        while not any(self.tip(partition) > sequence for partition, sequence in after.items()):  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.fixture
def logs():
    return memory_logs()


@pytest.fixture
def progress():
    return Progress()


@pytest.fixture
def consistency(logs, progress):
    def make(**changes):
        parts = {
            "logs": logs,
            "live": Live(logs),
            "progress": progress,
            "models": MODELS,
            "queries": QUERIES,
            "changed_resource": None,
            "read_latest": True,
            "in_threads": False,
            "wait_seconds": 0.02,
        }
        return Consistency(**parts | changes)

    return make


def ask(queries):
    assert queries == QUERIES
    return "answer"


def report(progress, sequence, partition=0, blocked=None):
    progress.report(dict.fromkeys((*MODELS, INSIGHTS), sequence), blocked, partition)


def token(record, partition=0):
    return Position.at(record.sequence, record.chain, partition).token()


@pytest.mark.parametrize("in_threads", [False, True])
def test_an_answer_includes_everything_that_was_acknowledged(logs, progress, consistency, in_threads):
    async def run():
        logs[1].add("h", 1)
        with pytest.raises(NotCaughtUpError):
            await consistency(in_threads=in_threads).read(ask)
        assert await consistency(in_threads=in_threads, read_latest=False).read(ask) == "answer"
        report(progress, 1, partition=1)
        assert await consistency(in_threads=in_threads).read(ask) == "answer"

    asyncio.run(run())


def test_an_answer_includes_the_position_that_the_caller_names(logs, progress, consistency):
    async def run():
        after = token(logs[1].add("h", 1), partition=1)
        parts = consistency(read_latest=False)
        assert await parts.required(after) == {1: 1}
        with pytest.raises(NotCaughtUpError):
            await parts.read(ask, after)
        report(progress, 1, partition=1)
        assert await parts.read(ask, after) == "answer"

    asyncio.run(run())


def test_a_position_of_another_log_is_refused(logs, consistency):
    async def run():
        record = logs[0].add("h", 1)
        wrong_chain = Position.at(record.sequence, bytes(32), 0).token()
        wrong_partition = Position.at(1, record.chain, 99).token()
        for foreign in (wrong_chain, wrong_partition, "x"):
            with pytest.raises(BadInputError) as refused:
                await consistency().reached(foreign, "after")
            assert (refused.value.code, refused.value.faults[0].pointer) == ("invalid_position", "/after")
        with pytest.raises(BadInputError) as refused:
            consistency().seen(wrong_partition)
        assert refused.value.faults[0].pointer == "/CodePark-After"
        assert consistency().seen(None) == START

    asyncio.run(run())


def test_a_position_ahead_is_waited_for_and_refused_after_a_while(logs, consistency):
    async def run():
        ahead = logs[0].add("h", 1)
        logs[0].records.clear()
        assert not consistency().has(Position.at(1, ahead.chain))
        with pytest.raises(HttpError) as refused:
            await consistency().reached(token(ahead))
        assert (refused.value.status, refused.value.code) == (503, "position_ahead")
        waiting = asyncio.create_task(consistency(wait_seconds=10).reached(token(ahead)))
        await asyncio.sleep(0)
        logs[0].records.append(ahead)
        assert (await waiting).sequences == {0: 1}

    asyncio.run(run())


class Waits:
    """Query objects: files written at these sequences wait to be measured."""

    def __init__(self):
        self.insights = self
        self.sequences = []

    def waits(self, project, through):
        return project == "p" and any(sequence <= through for sequence in self.sequences)


def test_no_answer_but_that_of_insights_with_a_position_waits_for_insights(logs, progress, consistency):
    async def run():
        number, queries = logs.number_of("p"), Waits()
        after = token(logs[number].add("p", 1), number)
        progress.report(dict.fromkeys(MODELS, 1), partition=number)
        progress.touch(INSIGHTS, [("p", 1)], number)
        parts = consistency(queries=queries)

        def ask(_):
            return "answer"

        assert await parts.read(ask, project="p") == "answer"
        assert await parts.read(ask, after, project="p") == "answer"
        assert await parts.read_insights(ask, "p") == "answer"
        with pytest.raises(NotCaughtUpError):
            await parts.read_insights(ask, "p", after)
        assert await parts.read_insights(ask, "other", after) == "answer"
        progress.report({INSIGHTS: 1}, partition=number)
        assert await parts.read_insights(ask, "p", after) == "answer"

    asyncio.run(run())


def test_insights_with_a_position_wait_for_files_that_were_put_off(logs, progress, consistency):
    async def run():
        number, queries = logs.number_of("p"), Waits()
        after = token(logs[number].add("p", 1), number)
        report(progress, 1, number)
        progress.touch(INSIGHTS, [("p", 1)], number)
        queries.sequences = [1, 2]
        with pytest.raises(NotCaughtUpError, match="being made"):
            await consistency(queries=queries).read_insights(lambda _: "answer", "p", after)
        waiting = asyncio.create_task(
            consistency(queries=queries, wait_seconds=stretched(10)).read_insights(
                lambda _: "answer", "p", after
            )
        )
        await asyncio.sleep(0)
        queries.sequences = [2]  # of a later event
        assert await waiting == "answer"

    asyncio.run(run())


def test_a_blocked_project_is_refused_and_others_are_not(logs, progress, consistency):
    async def run():
        number = logs.number_of("p")
        logs[number].add("p", 1)
        report(progress, 1, number, {"files": frozenset({"project-p"})})
        with pytest.raises(BlockedError, match=r"project p .* files"):
            await consistency().read(ask, project="p")
        assert await consistency().read(ask) == "answer"
        other = next(f"q{n}" for n in range(100) if logs.number_of(f"q{n}") != number)
        assert await consistency().read(ask, project=other) == "answer"

    asyncio.run(run())


def test_a_list_does_not_wait_for_insights(logs, progress, consistency):
    async def run():
        number = logs.number_of("p")
        logs[number].add("p", 1)
        progress.report(dict.fromkeys(MODELS, 1), partition=number)
        progress.touch(INSIGHTS, [("p", 1)], number)
        page = Page(items=[{"id": "p"}], next_cursor=None)
        assert await consistency().read_list(lambda _: page) is page

    asyncio.run(run())


def test_a_list_with_a_blocked_project_is_refused_where_the_caller_names_a_position(
    logs, progress, consistency
):
    async def run():
        number = logs.number_of("p")
        after = token(logs[number].add("p", 1), number)
        report(progress, 1, number, {"projects": frozenset({"project-p"})})
        page = Page(items=[{"id": "p"}], next_cursor=None)
        assert await consistency().read_list(lambda _: page) == page
        with pytest.raises(BlockedError, match="project-p"):
            await consistency().read_list(lambda _: page, after)

    asyncio.run(run())


def test_what_a_command_changed_comes_from_the_replica_where_it_can(consistency):
    accepted = Accepted(command_id="c", stream="s", version=1, position=START)

    async def replica(_, ask):
        return ask(QUERIES)

    async def none(*_):
        return None

    async def run():
        late = Position({0: (9, b"abcd")})
        from_replica = consistency(changed_resource=replica)
        assert await from_replica.read_changed(ask, accepted, late) == "answer"
        for changed_resource in (None, none):
            with pytest.raises(HttpError) as refused:
                await consistency(changed_resource=changed_resource).read_changed(ask, accepted, late)
            assert (refused.value.status, refused.value.code) == (503, "result_unavailable")
            assert refused.value.headers["Retry-After"]
            assert refused.value.headers["CodePark-Command"] == "c"
            assert refused.value.headers["CodePark-Position"] == late.token()
        assert await consistency(changed_resource=none).read_changed(ask, accepted, START) == "answer"

    asyncio.run(run())


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailableError("mongo-1.internal:27017 refused"),
        LogUnavailableError("the keys of people cannot be read: mongo-1.internal:27017 refused"),
        NotCaughtUpError("log is 3 events behind; try again"),
    ],
    ids=["read models", "keys of people", "replica"],
)
def test_a_stored_command_whose_result_cannot_be_shown_has_one_code(consistency, error):
    accepted = Accepted(command_id="c", stream="s", version=1, position=START)

    async def fails(*_):
        raise error

    async def run():
        with pytest.raises(HttpError) as refused:
            await consistency(changed_resource=fails).read_changed(ask, accepted, START)
        assert (refused.value.status, refused.value.code) == (503, "result_unavailable")
        assert "the command is stored" in refused.value.detail
        assert "internal" not in refused.value.detail
        headers = refused.value.headers
        assert (headers["CodePark-Command"], headers["CodePark-Position"]) == ("c", START.token())

    asyncio.run(run())


def test_what_a_command_changed_and_its_sender_may_not_see_stays_hidden(consistency):
    accepted = Accepted(command_id="c", stream="s", version=1, position=START)

    async def hidden(*_):
        raise NotFoundError("there is no such project")

    async def run():
        with pytest.raises(NotFoundError):
            await consistency(changed_resource=hidden).read_changed(ask, accepted, START)

    asyncio.run(run())


def test_an_account_whose_stream_is_blocked_is_not_shown(progress, consistency):
    async def run():
        report(progress, 1, 0, {"projects": frozenset({"account-a"})})
        assert await consistency().read(ask) == "answer"
        assert await consistency().read(ask, account="b") == "answer"
        with pytest.raises(BlockedError, match="account-a"):
            await consistency().read(ask, account="a")

    asyncio.run(run())
