"""A store that reads some collections from elsewhere: what goes where."""

import pytest

from codepark.routed_store import Fallback, RoutedStore
from projections.model import Collection, ReadModel
from projections.sqlite.store import SQLiteDocumentStore
from projections.store import Change, Checkpoint, Equals, Query, StoreUnavailableError
from projections.writes import Put
from tests.support.documents import dump

MODEL = ReadModel(
    name="m",
    version=1,
    collections=(Collection(name="own", indexes=(("n",),)), Collection(name="theirs", indexes=(("n",),))),
    project=lambda *_: (),
)


class Unavailable:
    """A source that does not answer."""

    def __getattr__(self, name):
        def unavailable(*_):
            raise StoreUnavailableError(name)

        return unavailable


@pytest.fixture
def new_store():
    """Return stores in memory; each document has the number that its store is given."""
    stores = []

    def new(n):
        store = SQLiteDocumentStore(None)
        stores.append(store)
        store.prepare([MODEL])
        write(store, n)
        return store

    yield new
    for store in stores:
        store.close()


def write(store, n, sequence=1):
    writes = [Put(name, "a", {"id": "a", "n": n}) for name in ("own", "theirs")]
    store.apply([Change(model="m", writes=[(sequence, writes)], checkpoint=Checkpoint(sequence=sequence))])


def answers(source, collection):
    """Return what a source says about the number of a collection's document, to each question."""
    query = Query(collection=collection, sort="n")
    return {
        "get": source.get(collection, "a")["n"],
        "get_many": source.get_many(collection, ["a", "b"])["a"]["n"],
        "find": source.find(query)[0]["n"],
        "find_many": source.find_many([query, query])[1][0]["n"],
        "totals": source.totals(collection, (Equals("id", "a"),), ("n",))["n"],
        "totals_by": source.totals_by(collection, "id", ("a",), ("n",))["a"]["n"],
    }


def test_each_question_goes_to_the_source_of_its_collection(new_store):
    routed = RoutedStore(new_store(1), {"theirs": new_store(2)})
    assert set(answers(routed, "own").values()) == {1}
    assert set(answers(routed, "theirs").values()) == {2}
    assert (routed.count("own"), routed.count("theirs")) == (1, 1)
    assert routed.find_many([]) == []


def test_writes_go_to_its_own_documents(new_store):
    own, theirs = new_store(1), new_store(2)
    routed = RoutedStore(own, {"theirs": theirs})
    routed.prepare([MODEL])
    write(routed, 3, sequence=2)
    assert (own.get("own", "a")["n"], own.get("theirs", "a")["n"], theirs.get("theirs", "a")["n"]) == (
        3,
        3,
        2,
    )
    assert routed.checkpoints()["m"].sequence == 2
    assert [document["n"] for document in dump(own, "theirs")] == [3]
    assert routed.dead_letters() == []
    routed.begin_rebuild(MODEL).cancel()


def test_another_default_reads_what_has_no_source(new_store):
    routed = RoutedStore(new_store(1), {"theirs": new_store(2)}, default=new_store(3))
    assert (set(answers(routed, "own").values()), set(answers(routed, "theirs").values())) == ({3}, {2})


def test_the_second_source_answers_while_the_first_is_unavailable(new_store):
    assert set(answers(Fallback(new_store(1), new_store(2)), "own").values()) == {1}
    fallback = Fallback(Unavailable(), new_store(2))
    assert set(answers(fallback, "own").values()) == {2}
    assert fallback.count("own") == 1


def test_another_fault_of_the_first_source_is_not_hidden(new_store):
    with pytest.raises(KeyError):
        Fallback(new_store(1), new_store(2)).get("no such collection", "a")
