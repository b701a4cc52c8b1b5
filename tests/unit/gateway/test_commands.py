"""What accompanies a command, and one command at a time for each idempotency key."""

import asyncio

import pytest

from commands.bus import BusyError
from commands.log import LogUnavailableError
from commands.outcomes import Accepted, Refused, Submission
from commands.position import START
from domain.actor import SERVICE
from domain.errors import ForbiddenError, NotFoundError
from domain.file.commands import DeleteFile
from read_api.gateway.commands import Commands, command_metadata
from read_api.problems import HttpError

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Quotas:
    """Refuses the commands at these places, and counts the admissions that have not ended."""

    def __init__(self, refused=()):
        self.refused = refused
        self.open = 0

    async def admit(self, submissions):
        self.open += 1
        return self

    @property
    def refusals(self):
        return {place: ForbiddenError("no room", code="quota_exceeded") for place in self.refused}

    def end(self, outcomes):
        self.open -= 1


class Hidden:
    """Hides what the commands at these places are about."""

    def __init__(self, *places):
        self.places = places

    async def refusals(self, submissions):
        return {place: NotFoundError("not there", code="review_not_found") for place in self.places}


ADMITTED = Quotas()
NOTHING_HIDDEN = Hidden()


def submission(command_id):
    return Submission(command=DeleteFile(project_id="p", path="a"), command_id=command_id, actor=SERVICE)


class Bus:
    """Accepts commands once it is released, or raises."""

    def __init__(self, error=None):
        self.error = error
        self.released = asyncio.Event()

    async def execute(self, submissions):
        await self.released.wait()
        if self.error is not None:
            raise self.error
        return [
            Accepted(command_id=each.command_id, stream="s", version=1, position=START)
            for each in submissions
        ]


def test_the_second_of_two_commands_with_one_key_is_refused_while_the_first_is_carried_out():
    async def run():
        bus = Bus()
        commands = Commands(bus, 10, ADMITTED, NOTHING_HIDDEN)
        first = asyncio.create_task(commands.carry_out(submission("a")))
        await asyncio.sleep(0)
        with pytest.raises(HttpError) as refused:
            await commands.carry_out(submission("a"))
        assert (refused.value.status, refused.value.code) == (409, "in_flight")
        assert refused.value.headers == {"Retry-After": "1", "CodePark-Command": "a"}
        bus.released.set()
        assert (await commands.carry_out(submission("b"))).command_id == "b"
        assert (await first).command_id == "a"
        assert (await commands.carry_out(submission("a"))).command_id == "a", "its key is free again"

    asyncio.run(run())


UNREACHABLE = "the history cannot be reached now: try again in a moment"


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (BusyError("too many"), "busy", "too many"),
        (LogUnavailableError("kafka-1:9092 refused"), "log_unavailable", UNREACHABLE),
        (TimeoutError(), "log_unavailable", "no outcome in time"),
    ],
)
def test_a_command_without_an_outcome_is_unavailable_and_names_itself(error, code, detail):
    async def run():
        bus = Bus(error)
        bus.released.set()
        commands = Commands(bus, 10, ADMITTED, NOTHING_HIDDEN)
        for _ in range(2):  # the key is free again
            with pytest.raises(HttpError) as refused:
                await commands.carry_out(submission("a"))
            assert (refused.value.status, refused.value.code) == (503, code)
            assert refused.value.detail == detail
            assert refused.value.headers == {"Retry-After": "1", "CodePark-Command": "a"}

    asyncio.run(run())


def test_an_outcome_is_waited_for_only_so_long():
    async def run():
        commands = Commands(Bus(), 0.01, ADMITTED, NOTHING_HIDDEN)
        with pytest.raises(HttpError, match="no outcome in time") as refused:
            await commands.carry_out(submission("a"))
        assert refused.value.code == "log_unavailable"
        with pytest.raises(HttpError, match="no outcome in time") as refused:
            await commands.carry_out_batch([submission("a")])
        assert refused.value.code == "busy"
        assert await commands.carry_out_batch([]) == []

    asyncio.run(run())


def test_what_quotas_refuse_is_not_carried_out_and_the_others_keep_their_order():
    async def run():
        bus, quotas = Bus(), Quotas(refused=(0, 2))
        bus.released.set()
        commands = Commands(bus, 10, quotas, NOTHING_HIDDEN)
        outcomes = await commands.carry_out_batch([submission(id_) for id_ in "abcd"])
        assert [(each.command_id, type(each)) for each in outcomes] == [
            ("a", Refused),
            ("b", Accepted),
            ("c", Refused),
            ("d", Accepted),
        ]
        commands = Commands(Bus(), 10, quotas, NOTHING_HIDDEN)  # its bus would never answer
        with pytest.raises(ForbiddenError, match="no room"):
            await commands.carry_out(submission("a"))
        assert quotas.open == 0

    asyncio.run(run())


def test_a_command_on_what_its_sender_does_not_see_is_not_carried_out():
    async def run():
        bus = Bus()
        bus.released.set()
        commands = Commands(bus, 10, Quotas(refused=(1,)), Hidden(0, 2))
        outcomes = await commands.carry_out_batch([submission(id_) for id_ in "abcd"])
        refused = [each.refusal.specific_code if isinstance(each, Refused) else None for each in outcomes]
        assert refused == ["review_not_found", "quota_exceeded", "review_not_found", None]

    asyncio.run(run())


def test_an_admission_ends_however_the_commands_end():
    async def run():
        quotas = Quotas()
        with pytest.raises(HttpError, match="no outcome in time"):
            await Commands(Bus(), 0.01, quotas, NOTHING_HIDDEN).carry_out(submission("a"))
        assert quotas.open == 0

    asyncio.run(run())


@pytest.mark.parametrize("key", ["", " ", "two words", "é", "x" * 256])
def test_a_malformed_key_is_refused(key):
    with pytest.raises(HttpError) as refused:
        command_metadata(SERVICE, correlation="c", key=key)
    assert [fault.pointer for fault in refused.value.faults] == ["/Idempotency-Key"]


def test_a_malformed_trace_is_ignored():
    assert command_metadata(SERVICE, correlation="c", traceparent=TRACE).traceparent == TRACE
    for trace in ("", "x", TRACE.replace("00-", "ff-"), TRACE[:-1]):
        assert command_metadata(SERVICE, correlation="c", traceparent=trace).traceparent is None
