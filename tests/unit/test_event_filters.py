"""One filter for events on every channel: what a page has is what passes of all events, in both orders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.position import START
from domain.errors import InvalidError
from domain.times import rfc3339
from read_api.contract import event_cursors
from read_api.contract.event_filter import EVERY_EVENT, EventFilter, descending, event_filter
from read_api.contract.event_ranges import Range, before_time, first_part, last_part, needs_scan, range_of
from read_api.contract.events import passes
from read_api.realtime.events import PendingEvent, render_event
from tests.support.partitions import memory_logs

TOPICS = ("project.created", "project.updated", "file.written")
APPENDS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), st.sampled_from("pqr"), st.sampled_from(TOPICS)),
    max_size=30,
)
FILTERS = st.builds(
    EventFilter,
    topics=st.none() | st.frozensets(st.sampled_from(TOPICS), min_size=1),
    streams=st.none() | st.frozensets(st.sampled_from(["project-p", "project-q"]), min_size=1),
    projects=st.none() | st.frozensets(st.sampled_from("pqx"), min_size=1),
    actors=st.none() | st.frozensets(st.sampled_from(["a", "b"]), min_size=1),
    since=st.none() | st.integers(0, 9),
    until=st.none() | st.integers(0, 9),
)


def filled(appends):
    logs = memory_logs()
    for partition, time, home, topic in appends:
        logs[partition].add(home, time, topic)
    return logs


def places(records):
    return [(record.occurred_at, log.number, record.sequence) for log, record in records]


def all_records(logs):
    return list(logs.records({}, through=logs.tip().sequences))


def passing(logs, wanted):
    return places(
        (log, record) for log, record in all_records(logs) if passes(wanted, render_event(log, record))
    )


@given(appends=APPENDS, wanted=FILTERS)
def test_what_is_read_with_a_filter_is_what_passes_of_all_events(appends, wanted):
    logs = filled(appends)
    whole = range_of(logs, wanted, {}, logs.tip().sequences)
    forward = logs.records(whole.lower, wanted.selection(), through=whole.upper)
    assert places(forward) == passing(logs, wanted)
    before = {number: last + 1 for number, last in whole.upper.items()}
    selection = wanted.selection(newest_first=True)
    backward = logs.records_before(before, selection, down_to=whole.lower)
    assert places(backward) == passing(logs, wanted)[::-1]


@given(appends=APPENDS, wanted=FILTERS, rows=st.integers(1, 4))
def test_parts_of_the_log_are_the_whole_in_both_orders(appends, wanted, rows):
    logs = filled(appends)
    expected = passing(logs, wanted)
    whole = range_of(logs, wanted, {}, logs.tip().sequences)
    seen, left = [], whole
    while any(left.lower[number] < upper for number, upper in left.upper.items()):
        part = first_part(logs, left, rows)
        seen += places(logs.records(part.lower, wanted.selection(), through=part.upper))
        assert part.upper != left.lower, "each part continues"
        left = Range(part.upper, whole.upper)
    assert seen == expected
    seen, left = [], whole
    while any(left.lower[number] < upper for number, upper in left.upper.items()):
        part = last_part(logs, left, rows)
        before = {number: last + 1 for number, last in part.upper.items()}
        selection = wanted.selection(newest_first=True)
        seen += places(logs.records_before(before, selection, down_to=part.lower))
        assert part.lower != left.upper, "each part continues"
        left = Range(whole.lower, {n: min(last, left.upper[n]) for n, last in part.lower.items()})
    assert sorted(seen) == expected, (
        "one command's events may lie in two parts, so that their order is by part"
    )


@given(appends=APPENDS, wanted=FILTERS)
def test_live_channels_ask_the_same_of_an_event_that_was_not_decoded(appends, wanted):
    logs = filled(appends)
    for log, record in all_records(logs):
        assert passes(wanted, PendingEvent(log, record)) is passes(wanted, render_event(log, record))


@given(appends=APPENDS, time=st.integers(0, 10))
def test_a_subscription_from_a_time_begins_before_its_first_event(appends, time):
    logs = filled(appends)
    start = before_time(logs, time)
    later = logs.records(start.sequences, through=logs.tip().sequences)
    assert places(later) == [place for place in places(all_records(logs)) if place[0] >= time]


@given(appends=APPENDS, data=st.data())
def test_the_newest_first_continues_before_the_position_of_an_event(appends, data):
    logs = filled(appends)
    shown = all_records(logs)
    if not shown:
        assert event_cursors.before_position(logs, START) == {}
        return
    at = data.draw(st.integers(0, len(shown) - 1))
    position = render_event(*shown[at]).position
    before = event_cursors.before_position(logs, position)
    older = logs.records_before(before, EVERY_EVENT.selection(newest_first=True), down_to={})
    assert places(older) == places(shown[:at])[::-1]


def test_parameters_take_one_name_or_several():
    wanted = event_filter(
        types="project.created,file.written",
        streams="file-1",
        projects=["p", "q,r"],
        since="2026-01-01T00:00:00 01:00",
        until="2026-01-01T00:00:00Z",
    )
    assert wanted.topics == {"project.created", "file.written"}
    assert wanted.projects == {"p", "q", "r"}
    assert (rfc3339(wanted.since), rfc3339(wanted.until)) == (
        "2025-12-31T23:00:00.000Z",
        "2026-01-01T00:00:00.000Z",
    )
    assert event_filter() == EVERY_EVENT
    assert (descending(None), descending("asc"), descending("desc")) == (False, False, True)


@pytest.mark.parametrize(
    ("parameters", "pointer", "sentence"),
    [
        ({"types": "project.craeted"}, "/type", "did you mean project.created"),
        ({"types": "project.created,"}, "/type", "separated by commas"),
        ({"streams": "fiel-1"}, "/stream", "did you mean file"),
        ({"projects": ""}, "/projects", "separated by commas"),
        ({"actors": [f"a{n}" for n in range(101)]}, "/actor", "up to 100"),
        ({"since": "2026-01-01"}, "/from", "RFC 3339"),
        ({"until": "2026-01-01T00:00:00+99:00"}, "/until", "RFC 3339"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "/from", "swap"),
    ],
)
def test_a_filter_that_selects_nothing_by_mistake_is_refused(parameters, pointer, sentence):
    with pytest.raises(InvalidError, match=sentence) as refused:
        event_filter(**parameters)
    assert (refused.value.pointer, refused.value.specific_code) == (pointer, "invalid_input")


def test_types_and_actors_alone_have_no_index():
    assert needs_scan(EventFilter(topics=frozenset({"a"})).selection())
    assert needs_scan(EventFilter(actors=frozenset({"a"})).selection())
    assert not needs_scan(EventFilter(topics=frozenset({"a"}), projects=frozenset({"p"})).selection())
    assert not needs_scan(EVERY_EVENT.selection())


def test_a_cursor_of_the_newest_first_belongs_to_its_list():
    list_id = event_cursors.list_identity(EVERY_EVENT, "")
    cursor = event_cursors.encode(list_id, {0: 7, 1: 2**63 - 1})
    assert event_cursors.decode(list_id, cursor) == {0: 7, 1: 2**63 - 1}
    other = event_cursors.list_identity(EventFilter(topics=frozenset({"file.written"})), "")
    for id_, text in ((other, cursor), (list_id, cursor[:-2] + "AA"), (list_id, cursor[:12])):
        with pytest.raises(InvalidError) as refused:
            event_cursors.decode(id_, text)
        assert refused.value.specific_code == "invalid_cursor"
    assert event_cursors.decode(list_id, "gQCSBsQEYWJjZA") is None, "a position"
    assert event_cursors.decode(list_id, "?") is None
