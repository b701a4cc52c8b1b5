"""The law for versions: after any event of a stream, the document that shows the stream has its version.

A client takes the version of a document for its next conditional write. If the document stays behind its
stream, every such write fails, and nothing else notices.
"""

from typing import get_args

import pytest

from domain.project.events import ProjectCreated, ProjectEvent, ProjectUpdated
from domain.registry import EVENTS
from domain.times import rfc3339
from projections.fold import NOTHING, fold
from projections.model import Collection, Shows
from projections.models import READ_MODELS
from projections.models.dispatch import read_model
from projections.writes import Delete, DropItem, Patch, PatchItem, Put, SetItem
from tests.support.records import OCCURRED_AT, a_record
from tests.unit.projections.stream_kinds import STREAM_KINDS, a_sample, kind_of

NOT_SHOWN = {
    "announcement": "an announcement never changes: a version would always be 1",
    "claim": "claims keep addresses and names unique; no answer shows them",
    "commands": "these events concern the log itself; no answer shows them",
    "commits": "each commit is a document of its own that never changes; its version is its number",
    "credentials": "no answer shows how an account signs in",
    "erasure": "no answer shows an erasure",
    "feedback": "no answer shows feedback, and it never changes",
    "inbox": "reading a notification overwrites nothing, so nobody reads under a condition",
    "mail": "mail that was sent never changes, and no answer shows it",
    "preferences": "the last preferences count, whatever was there before; their document carries no version",
    "session": "a session can only be ended; its document carries no version",
    "signing": "the public keys are no read model",
    "suggestion": "the last verdict counts, whatever was there before; its document carries no version",
    "token": "a token can only be revoked; its document carries no version",
}
"""The kinds of streams that no document shows with a version, and why a client does without."""

SHOWING = {
    collection.name: (model, collection.shows)
    for model in READ_MODELS
    for collection in model.collections
    if collection.shows is not None
}
STREAM, LATER = "stream", OCCURRED_AT + 5_000


def record(cls, version):
    at = OCCURRED_AT if version == 1 else LATER
    return a_record(topic=cls.TOPIC, stream=STREAM, version=version, sequence=version, occurred_at=at)


def document_after(model, collection, id_, *history):
    """Return a document after the events of *history*, pairs of event and version; None if it is deleted."""
    stored = NOTHING
    for event, version in history:
        writes = model.project(event, record(type(event), version))
        mine = [(version, write) for write in writes if (write.collection, write.id) == (collection, id_)]
        assert len(mine) == 1, f"{event.TOPIC} has {len(mine)} writes to one document of {collection}"
        stored = fold(stored, mine)
    assert stored.position == history[-1][1]
    return stored.document


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.TOPIC)
def test_the_document_of_a_stream_has_its_version_after_each_event(cls):
    kind = kind_of(cls)
    assert kind is not None, (
        f"{cls.TOPIC} belongs to no stream kind: add it to tests/unit/projections/stream_kinds.py"
    )
    showing = [name for name, (_, shows) in SHOWING.items() if cls in shows.events]
    if not showing:
        assert kind in NOT_SHOWN, (
            f"no document moves with {cls.TOPIC}: let a collection show the streams of kind {kind} with all "
            "their events (Collection(shows=...)), or say in NOT_SHOWN why clients need no version of them"
        )
        return
    assert kind not in NOT_SHOWN, f"{showing[0]} shows the streams of kind {kind}: take it out of NOT_SHOWN"
    first, event = a_sample(STREAM_KINDS[kind].first), a_sample(cls)
    for name in showing:
        model, shows = SHOWING[name]
        assert cls.TOPIC in model.topics, f"{model.name} does not read {cls.TOPIC}"
        document = document_after(model, name, shows.document(event), (first, 1), (event, 7))
        if document is not None:
            moved = (document["version"], document["updatedAt"])
            assert moved == (7, rfc3339(LATER)), f"{cls.TOPIC} does not move the document in {name}"


def test_each_reason_is_of_a_kind_of_stream():
    assert set(NOT_SHOWN) <= set(STREAM_KINDS)


def test_a_stream_is_shown_by_one_document():
    shown = [cls.TOPIC for _, shows in SHOWING.values() for cls in shows.events]
    assert sorted(shown) == sorted(set(shown))


CREATED, UPDATED = a_sample(ProjectCreated), a_sample(ProjectUpdated)
ID = CREATED.project_id
ITEMS = [{"key": "a", "n": 1}]


def model_of(**handlers):
    """Return a model that puts a document for the first event, and calls *updated* for the second."""
    table = {
        ProjectCreated: lambda event, _: (
            Put("things", event.project_id, {"id": event.project_id, "items": ITEMS}),
        )
    }
    if "updated" in handlers:
        table[ProjectUpdated] = handlers["updated"]
    shows = Shows(events=get_args(ProjectEvent), document=lambda event: event.project_id)
    return read_model("things", table, Collection(name="things", shows=shows))


def test_an_event_without_a_handler_moves_the_version_and_nothing_else():
    model = model_of()
    before = document_after(model, "things", ID, (CREATED, 1))
    after = document_after(model, "things", ID, (CREATED, 1), (UPDATED, 2))
    assert after == {**before, "version": 2, "updatedAt": rfc3339(LATER)}
    assert ProjectUpdated.TOPIC in model.topics


@pytest.mark.parametrize(
    "write",
    [
        Put("things", ID, {"id": ID}),
        Patch("things", ID, {"name": "n"}),
        SetItem("things", ID, "items", "key", {"key": "b"}),
        PatchItem("things", ID, "items", "key", "a", {"n": 2}),
        DropItem("things", ID, "items", "key", "a"),
    ],
    ids=lambda write: type(write).__name__,
)
def test_whatever_a_handler_writes_the_version_moves_with_it(write):
    model = model_of(updated=lambda _, __: (write,))
    document = document_after(model, "things", ID, (CREATED, 1), (UPDATED, 2))
    assert (document["version"], document["updatedAt"]) == (2, rfc3339(LATER))


def test_a_deleted_document_stays_deleted():
    model = model_of(updated=lambda _, __: (Delete("things", ID),))
    assert document_after(model, "things", ID, (CREATED, 1), (UPDATED, 2)) is None


def test_documents_of_other_streams_keep_their_versions():
    other = Patch("things", "other", {"name": "n"})
    model = model_of(updated=lambda _, __: (other,))
    stamp = {"version": 2, "updatedAt": rfc3339(LATER)}
    assert list(model.project(UPDATED, record(ProjectUpdated, 2))) == [other, Patch("things", ID, stamp)]
