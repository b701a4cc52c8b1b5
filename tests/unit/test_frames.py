"""The spans of live frames: of each event the first one of each kind of channel, and none of old events."""

import asyncio

from msgspec.structs import replace

from commands.partitions import Logs
from domain.times import system_clock
from read_api.realtime.events import render_event
from read_api.realtime.frames import sending
from read_api.realtime.hub import Hub
from tests.support.spans import OTHER, SAMPLED, UNSAMPLED, parent, recording


def hub_with(commands, *contexts):
    """Return a hub, and an event with each of *contexts*."""
    for context in contexts:
        submission = commands.submission("project.create", name="p")
        commands.outcomes(replace(submission, traceparent=context))
    hub = Hub(Logs([commands.log]))
    return hub, [render_event(commands.log, record) for record in commands.log.read(0, 100)]


def test_the_first_frame_of_each_kind_of_channel_is_a_child_of_the_append(commands):
    hub, events = hub_with(commands, SAMPLED, OTHER, UNSAMPLED, None)
    with recording() as recorded:
        for channel in ("sse", "sse", "websocket", "graphql", "websocket"):
            with sending(hub, channel, events):
                pass
        spans = recorded.all
    assert {span.name for span in spans} == {"send event"}
    shown = [(span.attributes["codepark.channel"], parent(span)) for span in spans]
    parents = [SAMPLED[36:52], OTHER[36:52]]
    assert shown == [(channel, id_) for channel in ("sse", "websocket", "graphql") for id_ in parents]


def test_an_event_of_long_ago_is_no_part_of_its_trace_any_more(commands):
    hub, (event,) = hub_with(commands, SAMPLED)
    with recording() as recorded:
        with sending(hub, "sse", [replace(event, occurred_at=system_clock() - 3_600_000)]):
            pass
        assert recorded.all == ()


def test_a_subscriber_that_goes_ends_the_span(commands):
    hub, events = hub_with(commands, SAMPLED)

    async def stream():
        with sending(hub, "sse", events):
            yield b"frame"

    async def leave():
        frames = stream()
        await anext(frames)
        await frames.aclose()

    with recording() as recorded:
        asyncio.run(leave())
        assert recorded.names == ["send event"]


def test_while_traces_are_off_nothing_is_noted(commands):
    hub, events = hub_with(commands, SAMPLED)
    with sending(hub, "sse", events):
        pass
    assert hub.is_first("sse", events[0].home, events[0].sequence)
