"""The events that a subscriber gets about projects that it may no longer see."""

import asyncio
import threading

from commands.partitions import Logs
from commands.position import Position
from domain.actor import Actor, Role
from domain.project.private_time import EVERYTHING
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
