"""The figures of the business: one document for each thing that is counted, no matter by which account."""

from datetime import date

import pytest
from msgspec.structs import replace

from domain.commit.events import CommitRecorded
from domain.file.events import FileWritten
from domain.log.events import CommandUnchanged
from domain.registry import EVENTS
from domain.session.events import SessionOpened
from projections.fold import NOTHING, fold
from projections.models.business import ACTIVE_PEOPLE, DONE, FIGURES, MODEL
from projections.queries.business import BusinessQueries
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint
from tests.golden_files import event_of
from tests.support.records import a_record

MAY = 1_714_608_000_000
"""2024-05-02T00:00:00Z"""

DAY = 86_400_000


def record(cls, actor="ada", at=MAY, version=1, stream="s"):
    return a_record(
        topic=cls.TOPIC, stream=stream, version=version, sequence=version, occurred_at=at, actor=actor
    )


def documents(*history):
    """Return the documents after events, each with its record, by collection."""
    stored = {}
    for event, about in history:
        for write in MODEL.project(event, about):
            key = (write.collection, write.id)
            stored[key] = fold(stored.get(key, NOTHING), [(about.sequence, write)])
    shown = {ACTIVE_PEOPLE: [], DONE: []}
    for (collection, _), document in stored.items():
        shown[collection].append(document.document)
    return shown


def periods(*history):
    return sorted(document["period"] for document in documents(*history)[ACTIVE_PEOPLE])


def test_a_person_counts_once_in_a_day_and_in_a_month():
    event = event_of(FileWritten)
    times = (MAY, MAY + 1, MAY + DAY)
    history = [(event, record(FileWritten, at=at, version=number)) for number, at in enumerate(times, 1)]
    assert periods(*history) == ["2024-05", "2024-05-02", "2024-05-03"]
    assert periods(*history, (event, record(FileWritten, "bob", version=9)))[0:2] == ["2024-05", "2024-05"]


def test_who_opens_a_session_is_active_and_services_are_not():
    opened = replace(event_of(SessionOpened), account_id="ada")
    assert periods((opened, record(SessionOpened, "service:cli"))) == ["2024-05", "2024-05-02"]
    written = event_of(FileWritten)
    assert periods((written, record(FileWritten, "service:cli"))) == []
    assert periods((written, record(FileWritten, ""))) == []
    assert CommandUnchanged.TOPIC not in MODEL.topics


def test_no_document_names_an_account_or_links_two_days():
    event = event_of(FileWritten)
    shown = documents(*((event, record(FileWritten, "ada", at=MAY + n * DAY, version=n)) for n in (1, 2)))
    assert "ada" not in repr(shown)
    ids = [document["id"] for document in shown[ACTIVE_PEOPLE]]
    assert len(ids) == len(set(ids)) == 3


@pytest.mark.parametrize(("figure", "cls"), FIGURES.items())
def test_each_thing_that_is_done_has_a_document(figure, cls):
    event = event_of(cls)
    shown = documents((event, record(cls)), (event, record(cls)))[DONE]
    assert [document["figure"] for document in shown] == [f"2024-05-02/{figure}"]


def test_every_event_but_those_of_the_log_is_looked_at():
    assert {cls.TOPIC for cls in EVENTS} - MODEL.topics == {
        "command.refused",
        "command.unchanged",
        "log.fenced",
    }


def test_the_figures_are_counts_of_documents():
    store = SQLiteDocumentStore(None)
    store.prepare([MODEL])
    history = [
        (event_of(CommitRecorded), record(CommitRecorded, version=1, stream="commits-1")),
        (event_of(CommitRecorded), record(CommitRecorded, "bob", version=2, stream="commits-1")),
        (event_of(CommitRecorded), record(CommitRecorded, at=MAY + DAY, version=3, stream="commits-1")),
    ]
    writes = tuple((about.sequence, tuple(MODEL.project(event, about))) for event, about in history)
    store.apply([Change(model=MODEL.name, writes=writes, checkpoint=Checkpoint(sequence=3))])
    figures = BusinessQueries(store).figures(date(2024, 5, 1), date(2024, 5, 3))
    assert [(day["day"], day["activePeople"], day["commitsRecorded"]) for day in figures["byDay"]] == [
        ("2024-05-01", 0, 0),
        ("2024-05-02", 2, 2),
        ("2024-05-03", 1, 1),
    ]
    assert figures["byMonth"] == [{"month": "2024-05", "activePeople": 2}]
    year = BusinessQueries(store).figures(date(2023, 5, 4), date(2024, 5, 3))
    assert len(year["byDay"]) == 366
    assert len(year["byMonth"]) == 13
