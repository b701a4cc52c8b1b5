"""G7: a subscription over several partitions loses nothing and repeats nothing, wherever it is resumed."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.position import START, Position, parse_position
from domain.actor import SERVICE, Actor, Role
from domain.project.private_time import EVERYTHING
from read_api.realtime import event_buffer
from read_api.realtime.hub import Hub
from read_api.realtime.subscription import Subscription
from tests.support.partitions import home_in, memory_logs
from tests.support.proof import size

EVE = Actor(id="e", roles=frozenset({Role.USER}))
HOMES = [home_in(0), home_in(1), home_in(2)]


async def nothing(*_):
    return


def subscribed(hub, position, actor=SERVICE, visible=lambda *_: EVERYTHING, **options):
    return Subscription(hub, visible, actor, position, projected=nothing, **options)


async def taken(hub, subscriber, most):
    """Return up to *most* events of a subscription, as many as are there; the last batch may be cut."""
    events, batches = [], subscriber.batches()
    while len(events) < most and any(hub.tip(number) > after for number, after in subscriber.after.items()):
        events += await anext(batches)
    await batches.aclose()
    return events[:most]


STEPS = st.lists(
    st.tuples(st.lists(st.integers(0, 2), max_size=8), st.integers(0, 12)), min_size=1, max_size=8
)


@settings(max_examples=size(40, 1_000), deadline=None)
@given(steps=STEPS, chunk=st.integers(1, 4), begun=st.integers(0, 3))
def test_resuming_from_any_event_goes_on_behind_it(steps, chunk, begun):
    async def run():
        logs = memory_logs()
        for partition in range(begun):
            logs[partition].add(HOMES[partition], 0)
        hub = Hub(logs)
        hub.start(asyncio.get_running_loop())
        position, seen = START, []
        for appends, most in [*steps, ([], 1_000)]:
            for partition in appends:
                logs[partition].add(HOMES[partition], 0)
            events = await taken(hub, subscribed(hub, position), most)
            seen += [(parse_position(event.token), event) for event in events]
            position = seen[-1][0] if seen else START  # as a client that has only what it received
        return logs, seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_buffer, "_CHUNK", chunk)
        logs, seen = asyncio.run(run())
    for log, home in zip(logs, HOMES, strict=True):
        sequences = [event.sequence for _, event in seen if event.home == home]
        assert sequences == [record.sequence for record in log.records]
    position = START
    for token, event in seen:
        assert json.loads(event.json)["position"] == event.token
        assert token == position.moved(event.position)
        position = token


def test_a_subscription_to_projects_reads_their_partitions_alone():
    async def run():
        logs = memory_logs()
        hub = Hub(logs)
        hub.start(asyncio.get_running_loop())
        start = Position({0: (0, b"aaaa"), 1: (0, b"bbbb")})
        subscriber = subscribed(hub, start, projects=frozenset({HOMES[1]}))
        for partition, home in enumerate(HOMES):
            logs[partition].add(home, 0)
        events = await taken(hub, subscriber, 9)
        return subscriber, events

    subscriber, events = asyncio.run(run())
    assert ([event.home for event in events], subscriber.after) == ([HOMES[1]], {1: 1})
    assert parse_position(events[0].token).sequences == {0: 0, 1: 1}


def test_a_subscriber_waits_for_whichever_partition_grows():
    async def run():
        logs = memory_logs()
        hub = Hub(logs)
        hub.start(asyncio.get_running_loop())
        batches = subscribed(hub, START).batches()
        for partition in (2, 0, 1):
            waiting = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(0)
            assert not waiting.done()
            logs[partition].add(HOMES[partition], 0)
            assert [event.home for event in await waiting] == [HOMES[partition]]
        await batches.aclose()

    asyncio.run(run())


def test_what_may_be_seen_is_asked_once_at_the_start():
    questions = []

    async def projected(sequence, partition):
        questions.append((partition, sequence))

    def visible(home, _):
        questions.append(home)
        return EVERYTHING

    async def run():
        logs = memory_logs()
        for partition, home in enumerate(HOMES):
            logs[partition].add(home, 0)
        hub = Hub(logs)
        hub.start(asyncio.get_running_loop())
        projects = frozenset(HOMES[:2])
        subscriber = Subscription(hub, visible, EVE, logs.tip(), projected=projected, projects=projects)
        await subscriber.begin()
        logs[1].add(HOMES[1], 0, "file.written")
        return await taken(hub, subscriber, 9)

    events = asyncio.run(run())
    assert [event.home for event in events] == [HOMES[1]]
    assert (set(questions[:2]), questions[2:]) == (set(HOMES[:2]), [(1, 2)])
