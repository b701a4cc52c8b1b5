"""The hub: however many events it buffers, a subscriber sees each event once, in order."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.partitions import Logs
from read_api.realtime import event_buffer
from read_api.realtime.hub import Hub
from tests.support.profile import Commands
from tests.support.proof import size


@settings(
    max_examples=size(25, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=8),
    start=st.integers(0, 6),
    chunk=st.integers(1, 5),
    buffered=st.integers(1, 12),
)
def test_none_is_skipped_or_repeated(tmp_path_factory, monkeypatch, steps, start, chunk, buffered):
    """G7."""
    monkeypatch.setattr(event_buffer, "_CHUNK", chunk)
    monkeypatch.setattr(event_buffer, "_MOST_EVENTS", buffered)
    commands = Commands(tmp_path_factory.mktemp("hub"))
    try:
        for number in range(6):
            commands.project(f"before {number}")
        hub = Hub(Logs([commands.log]))
        loop = asyncio.new_event_loop()
        hub.start(loop)
        after, seen = start, []
        for count, reads in steps:
            for number in range(count):
                commands.project(f"{number}")
            if reads:
                stretch = hub.buffered(after) or hub.read(after)
                seen += [event.sequence for event in stretch.events] if stretch else []
                after = stretch.sequence if stretch else after
        while stretch := hub.buffered(after) or hub.read(after):
            seen += [event.sequence for event in stretch.events]
            after = stretch.sequence
        assert seen == list(range(start + 1, commands.log.tip().sequence + 1))
        loop.close()
    finally:
        commands.close()
