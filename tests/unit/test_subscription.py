"""The events that a subscriber gets about projects that it may no longer see."""

import asyncio
import threading

from commands.partitions import Logs
from commands.position import START, Position
from domain.actor import Actor, Role
from domain.project.private_time import EVERYTHING
from read_api.realtime import event_buffer
from read_api.realtime.events import RenderedEvent
from read_api.realtime.hub import Hub
from read_api.realtime.subscription import Subscription
from tests.support.profile import ADA, BOB

EVE = Actor(id="01900000-0000-7000-8000-00000000000e", roles=frozenset({Role.USER}))


def topics_for(commands, actor, visible, **options):
    """Return the types of events that *actor* gets, from the second event on."""

    async def projected(*_):
        return

    async def run():
        hub = Hub(Logs([commands.log]))
        hub.start(asyncio.get_running_loop())
        first = commands.log.read(0, 1)[0]
        start = Position.at(1, first.chain)
        subscription = Subscription(hub, visible, actor, start, projected=projected, **options)
        await subscription.begin()
        batches = subscription.batches()
        topics = [event.topic for event in await anext(batches)]
        await batches.aclose()
        return topics

    return asyncio.run(run())


def test_a_follower_of_a_project_gets_its_deletion(commands):
    project = commands.project()
    commands.do("project.update", target=project, name="second")
    commands.do("project.delete", target=project)
    seen = iter([True, True, False])  # at the start, after the update, after the deletion

    def visible(home, actor):
        return EVERYTHING if actor == ADA and home == project and next(seen) else None

    topics = topics_for(commands, ADA, visible, projects=frozenset({project}))
    assert topics == ["project.updated", "project.deleted"]


def test_who_could_not_see_it_is_not_topics_for(commands):
    project = commands.project()
    commands.do("project.delete", target=project)
    for actor in (BOB, EVE):
        assert topics_for(commands, actor, lambda home, actor: None) == []


def test_visibility_is_not_asked_in_the_loop_where_that_goes_over_a_network(commands):
    project = commands.project()
    commands.do("file.write", target=project, path="a", content="1")
    threads = set()

    def visible(home, actor):
        threads.add(threading.current_thread())
        return EVERYTHING

    assert topics_for(commands, ADA, visible, projects=frozenset({project}), in_threads=True) == [
        "file.written"
    ]
    assert threading.current_thread() not in threads


def caught_up(commands, monkeypatch, actor, visible, **options):
    """Return what a subscription from the start gets of a log that it has to read, and what was decoded."""
    monkeypatch.setattr(event_buffer, "_CHUNK", 4)
    monkeypatch.setattr(event_buffer, "_MOST_EVENTS", 1)
    decoded = []
    read = commands.log.event
    monkeypatch.setattr(commands.log, "event", lambda record: decoded.append(record.sequence) or read(record))

    async def projected(*_):
        return

    async def run():
        hub = Hub(Logs([commands.log]))
        hub.start(asyncio.get_running_loop())
        subscription = Subscription(hub, visible, actor, START, projected=projected, **options)
        await subscription.begin()
        events, batches, stretches = [], subscription.batches(), 0
        while subscription.after[0] < hub.tip():
            events += await anext(batches)
            stretches += 1
        await batches.aclose()
        return [event.sequence for event in events], stretches, subscription.position

    return *asyncio.run(run()), decoded


def test_events_that_a_subscriber_may_not_see_are_not_decoded(commands, monkeypatch):
    own, other = commands.project(), commands.project()
    for number in range(30):
        commands.do("file.write", target=other, path=f"{number}", content="1")
    commands.do("file.write", target=own, path="a", content="1")
    seen, _, _, decoded = caught_up(
        commands, monkeypatch, ADA, lambda home, _: EVERYTHING if home == own else None
    )
    assert decoded == seen
    assert len(seen) == 2


def test_events_that_a_filter_leaves_out_are_not_decoded(commands, monkeypatch):
    project = commands.project()
    for number in range(30):
        commands.do("file.write", target=project, path=f"{number}", content="1")
    commands.do("file.delete", target=project, path="3")
    topics = frozenset({"file.deleted"})
    seen, _, _, decoded = caught_up(commands, monkeypatch, ADA, lambda *_: EVERYTHING, topics=topics)
    assert (decoded, len(seen)) == (seen, 1)


def test_a_subscription_to_one_project_reads_the_events_of_no_other(commands, monkeypatch):
    own, other = commands.project(), commands.project()
    for number in range(40):
        commands.do("file.write", target=other, path=f"{number}", content="1")
        if number % 10 == 0:
            commands.do("file.write", target=own, path=f"{number}", content="1")
    for number in range(10):
        commands.do("file.write", target=other, path=f"late {number}", content="1")
    seen, stretches, position, _ = caught_up(
        commands, monkeypatch, ADA, lambda *_: EVERYTHING, projects=frozenset({own})
    )
    assert (len(seen), stretches) == (5, 2)
    tip = commands.log.tip()
    assert (position.sequence(), position.matches(tip.chain)) == (tip.sequence, True)


def test_an_analyst_gets_no_second_form_of_what_they_see_as_it_is(commands):
    """A filter by public names, or by a rounded time, does not lead to the public form of such an event."""
    project = commands.project()
    commands.do("project.update", target=project, name="second")
    roles = {Role.USER, Role.ANALYST}

    def topics(*more, seen):
        actor = Actor(id=ADA.id, roles=frozenset(roles.union(more)))
        return topics_for(
            commands,
            actor,
            lambda *_: EVERYTHING if seen else None,
            published=lambda event: event,
            passes=lambda event: isinstance(event, RenderedEvent),
        )

    assert topics(seen=False) == ["project.updated"]
    assert topics(seen=True) == []
    assert topics(Role.ADMIN, seen=False) == []
