"""A log is read in pieces of bounded size, however large its records are."""

import pytest

from commands.log import Selection
from commands.partitions import Logs
from commands.position import START
from read_api.contract import events
from read_api.contract.events import scan_records
from read_api.realtime.events import render_event

CONTENT = "0123456789" * 1_000


@pytest.fixture
def project(commands):
    project = commands.project()
    for number in range(20):
        commands.do("file.write", target=project, path="a", content=f"{number}{CONTENT}")
    return project


def test_an_answer_ends_with_the_record_that_passes_the_bytes(commands, project):
    whole = commands.log.read(0, 100)
    bounded = commands.log.read(0, 100, Selection(most_bytes=30_000))
    assert bounded == whole[: len(bounded)]
    assert 3 <= len(bounded) <= 4
    assert len(commands.log.read(2, 100, Selection(most_bytes=1))) == 1
    assert commands.log.read(0, 100, Selection(most_bytes=10**9)) == whole


@pytest.mark.parametrize("chunk", [1, 3, 500])
@pytest.mark.parametrize("most_bytes", [1, 25_000, 10**9])
def test_the_records_of_all_pieces_are_those_of_the_log(commands, project, monkeypatch, chunk, most_bytes):
    monkeypatch.setattr("commands.partitions._CHUNK_BYTES", most_bytes)
    logs = Logs([commands.log])
    records = logs.records({}, through=logs.tip().sequences, chunk=chunk)
    assert [record for _, record in records] == commands.log.read(0, 100)


def test_a_page_of_events_ends_by_bytes_and_the_next_one_goes_on(commands, project, monkeypatch):
    monkeypatch.setattr(events, "PAGE_BYTES", 35_000)
    logs = Logs([commands.log])
    seen, position, sizes = [], START, []
    while True:
        records = logs.records(position.sequences, through=logs.tip().sequences)
        page = scan_records(records, position, 100, render_event, several=False)
        seen += [event.sequence for event in page.events]
        sizes.append(len(page.events))
        position = page.position
        if not page.more:
            break
    assert seen == list(range(1, commands.log.tip().sequence + 1))
    assert max(sizes) <= 5
