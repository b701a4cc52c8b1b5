"""What a page of events reads for a caller who does not see a project's whole history."""

from hypothesis import given
from hypothesis import strategies as st

from commands.log import EVERYTHING as EVERY_RECORD
from commands.log import Selection
from commands.partitions import Logs
from domain.project.private_time import EVERYTHING, SeenHistory
from read_api.contract.event_ranges import Range
from read_api.contract.seen_parts import records, records_back, seen_parts, seen_streams
from tests.support.partitions import MemoryLog, memory_logs


class StreamLog(MemoryLog):
    """Selects by a single stream, too."""

    def read(self, after, limit, selection=EVERY_RECORD):
        found = super().read(after, len(self.records), selection)
        return [each for each in found if selection.stream in (None, each.stream)][:limit]


@st.composite
def histories(draw):
    """Private spans, the last of which may last."""
    edges = sorted(draw(st.sets(st.integers(1, 30), max_size=8)))
    spans = list(zip(edges[::2], [*edges[1::2], None], strict=False))
    return SeenHistory(tuple(spans[: len(edges[::2])]))


@given(history=histories(), lower=st.integers(0, 30), upper=st.integers(0, 30))
def test_the_parts_hold_what_is_seen_and_nothing_else(history, lower, upper):
    parts = seen_parts(lower, upper, history)
    listed = [sequence for after, last in parts for sequence in range(after + 1, last + 1)]
    assert listed == [each for each in range(lower + 1, upper + 1) if history.includes(each)]


@given(history=histories(), lower=st.integers(0, 30), upper=st.integers(0, 30))
def test_in_both_orders_the_seen_records_are_yielded(history, lower, upper):
    logs = memory_logs(1)
    for time in range(30):
        logs[0].add("h", time)
    part = Range({0: lower}, {0: upper})
    forth = [record.sequence for _, record in records(logs, part, Selection(), 0, history)]
    newest_first = Selection(newest_first=True)
    back = [record.sequence for _, record in records_back(logs, part, newest_first, 0, history)]
    assert forth == back[::-1] == [each for each in range(lower + 1, upper + 1) if history.includes(each)]


def test_a_stream_without_anything_that_is_seen_counts_as_none():
    log = StreamLog(0)
    for home in ("public", "hidden", "published", "changed", "changed"):
        log.add(home, 1)
    seen = {
        "public": EVERYTHING,
        "published": SeenHistory(((1, 4),)),
        "changed": SeenHistory(((1, 5),)),
    }
    named = ("project-public", "project-hidden", "project-published", "project-changed", "project-none")
    logs = Logs([log])
    assert seen_streams(logs, named, lambda record: seen.get(record.home)) == (named[0], named[3])
    assert seen_streams(logs, named[1:2], lambda record: seen.get(record.home)) == ("",)
