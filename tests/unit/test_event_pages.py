"""Pages of the merged history: one order, no event lost or repeated, with any limit."""

import json

from hypothesis import given
from hypothesis import strategies as st

from commands.position import START, parse_position
from read_api.contract.events import scan_records
from read_api.realtime.events import render_event
from tests.support.partitions import memory_logs

APPENDS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), max_size=30)


def place_of(event):
    shown = json.loads(event.json)
    return shown["occurredAt"], next(iter(event.position.partitions)), event.sequence


def pages(logs, limit, allowed=lambda _: True, start=START):
    """Return the events of all pages, and the position after the last."""
    events, position, more = [], start, True
    while more:
        page = scan_records(
            logs.records(position.sequences, through=logs.tip().sequences),
            position,
            limit,
            lambda log, record: render_event(log, record) if allowed(record) else None,
            several=True,
        )
        events += page.events
        position, more = page.position, page.more
    return events, position


@given(appends=APPENDS, limit=st.integers(1, 5))
def test_any_limit_gives_the_same_events_in_the_same_order(appends, limit):
    logs = memory_logs()
    for partition, time in appends:
        logs[partition].add("h", time)
    whole, _ = pages(logs, 1_000)
    collected, position = pages(logs, limit)
    assert [place_of(event) for event in collected] == [place_of(event) for event in whole]
    assert [place_of(event) for event in whole] == sorted(place_of(event) for event in whole)
    assert position.sequences == {log.number: len(log.records) for log in logs if log.records}


@given(appends=APPENDS, data=st.data())
def test_each_events_position_is_that_of_the_list_behind_it(appends, data):
    logs = memory_logs()
    for partition, time in appends:
        logs[partition].add("h", time)
    odd, _ = pages(logs, 4, lambda record: record.sequence % 2 == 1)
    if odd:
        at = data.draw(st.integers(0, len(odd) - 1))
        assert json.loads(odd[at].json)["position"] == odd[at].token
        rest, _ = pages(logs, 3, lambda record: record.sequence % 2 == 1, parse_position(odd[at].token))
        assert [place_of(event) for event in rest] == [place_of(event) for event in odd[at + 1 :]]
