"""Read models, histories, and a naive way to apply them, with which stores are compared."""

from collections.abc import Iterable, Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from projections.model import Collection, ReadModel
from projections.store import Change, Checkpoint, DocumentStore
from projections.writes import Delete, Document, DropItem, Patch, PatchItem, Put, PutOnce, SetItem, Write
from tests.support.documents import dump
from tests.support.proof import size

NOTES = ReadModel(
    name="notes",
    version=1,
    collections=(
        Collection(
            name="notes",
            indexes=(("rank",), ("title",)),
            sparse=(("group", "rank"),),
            multikey=("tags.name",),
            text=("title", "text"),
        ),
        Collection(name="drafts"),
    ),
    project=lambda event, record: (),
)
OTHERS = ReadModel(
    name="others", version=1, collections=(Collection(name="others"),), project=lambda event, record: ()
)
MODELS = (NOTES, OTHERS)

History = list[tuple[int, tuple[Write, ...]]]
"""Writes by position."""

LAWS = settings(
    max_examples=size(20, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def note(id_: str, **fields: object) -> Document:
    return {"id": id_, "group": "a", "rank": 1, "title": "", "text": "", "tags": [], **fields}


_ids = st.sampled_from(["a", "b", "c/d", "é"])
_names = st.sampled_from(["x", "y", "z"])
_titles = st.sampled_from(["", "red fox", "Blue Fox", "naïve"])
_tags = st.lists(
    st.builds(lambda name: {"name": name, "n": 0}, _names), max_size=3, unique_by=lambda t: t["name"]
)
_ranks = st.one_of(st.none(), st.integers(0, 3))
notes = st.builds(
    lambda id_, group, rank, title, tags: note(id_, group=group, rank=rank, title=title, tags=tags),
    _ids,
    st.sampled_from(["a", "b"]),
    _ranks,
    _titles,
    _tags,
)
_writes = st.one_of(
    notes.map(lambda document: Put("notes", document["id"], document)),
    st.builds(lambda id_, n: Put("drafts", id_, {"id": id_, "n": n}), _ids, st.integers(0, 5)),
    notes.map(lambda document: PutOnce("notes", document["id"], document)),
    st.builds(lambda id_, title: Patch("notes", id_, {"title": title}), _ids, _titles),
    st.builds(
        lambda id_, name, n: SetItem("notes", id_, "tags", "name", {"name": name, "n": n}, {"rank": n}),
        _ids,
        _names,
        st.integers(0, 3),
    ),
    st.builds(
        lambda id_, name, n: PatchItem("notes", id_, "tags", "name", name, {"n": n}, {"rank": n}),
        _ids,
        _names,
        st.integers(0, 3),
    ),
    st.builds(lambda id_, name: DropItem("notes", id_, "tags", "name", name, {"rank": 9}), _ids, _names),
    st.builds(Delete, st.sampled_from(["notes", "drafts"]), _ids),
)
_events = st.lists(_writes, max_size=3, unique_by=lambda write: (write.collection, write.id)).map(tuple)
histories = st.lists(_events, max_size=25).map(lambda events: list(enumerate(events, start=1)))


def expected(history: History) -> dict[str, list[Document]]:
    """Apply *history* in the plainest way."""
    collections: dict[str, dict[str, Document]] = {"notes": {}, "drafts": {}}
    for _, writes in history:
        for write in writes:
            _apply(collections[write.collection], write)
    return {name: [documents[id_] for id_ in sorted(documents)] for name, documents in collections.items()}


def _apply(documents: dict[str, Document], write: Write) -> None:
    if isinstance(write, Put):
        documents[write.id] = write.document
    elif isinstance(write, Delete):
        documents.pop(write.id, None)
    elif isinstance(write, PutOnce):
        documents.setdefault(write.id, write.document)
    elif write.id in documents:
        before = documents[write.id]
        if isinstance(write, Patch):
            documents[write.id] = before | write.changes
        elif isinstance(write, DropItem):
            items = [item for item in before[write.field] if item[write.key] != write.value]
            documents[write.id] = before | {write.field: items} | write.changes
        elif isinstance(write, PatchItem):
            items = [
                item | write.changes if item[write.key] == write.value else item
                for item in before[write.field]
            ]
            documents[write.id] = before | {write.field: items} | write.document_changes
        else:
            names = [item[write.key] for item in before[write.field]]
            items = list(before[write.field])
            at = names.index(write.item[write.key]) if write.item[write.key] in names else len(items)
            items[at : at + 1] = [write.item]
            documents[write.id] = before | {write.field: items} | write.changes


def apply(store: DocumentStore, batch: Sequence[tuple[int, Sequence[Write]]]) -> None:
    """Apply *batch* to the notes, with the checkpoint that it leads to."""
    sequence = batch[-1][0] if batch else 0
    store.apply([Change(model="notes", writes=batch, checkpoint=Checkpoint(sequence=sequence))])


def put(store: DocumentStore, documents: Iterable[Document], start: int = 1) -> None:
    apply(store, [(at, (Put("notes", d["id"], d),)) for at, d in enumerate(documents, start=start)])


def dumps(store: DocumentStore) -> dict[str, list[Document]]:
    return {name: list(dump(store, name)) for name in ("notes", "drafts")}
