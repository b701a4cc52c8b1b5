"""What concerns the SQLite store alone: a file, a full disk, the tables of unfinished rebuilds."""

import gc
import sqlite3
import threading

import pytest
from hypothesis import given
from msgspec.structs import replace

from projections.model import Collection, ReadModel
from projections.sqlite import SQLiteDocumentStore
from projections.store import (
    Change,
    Checkpoint,
    DeadLetter,
    Equals,
    Matches,
    Query,
    StoreUnavailableError,
)
from projections.writes import Patch, Put
from tests.contract.projections.samples import NOTES, apply, histories
from tests.support.documents import dump

MODEL = ReadModel(
    name="notes",
    version=1,
    collections=(Collection(name="notes", indexes=(("title",),), multikey=("tags",), text=("title",)),),
    project=lambda event, record: (),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "read models #1?.db"


@pytest.fixture
def store(path):
    made = SQLiteDocumentStore(path)
    made.prepare([MODEL])
    yield made
    made.close()


def note(number, title="fox"):
    return {"id": f"{number:05}", "title": title, "tags": ["x"]}


def change(writes, sequence):
    return Change(model="notes", writes=writes, checkpoint=Checkpoint(sequence=sequence))


def puts(numbers, **fields):
    return [(n + 1, (Put("notes", f"{n:05}", note(n, **fields)),)) for n in numbers]


def tables(path):
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in rows if name.startswith("notes")}


def test_documents_and_checkpoints_survive_a_restart(store, path):
    blocked = Checkpoint(sequence=9, blocked=frozenset({"a", "b"}))
    store.apply([Change(model="notes", writes=puts([1]), checkpoint=blocked)])
    store.close()
    again = SQLiteDocumentStore(path)
    again.prepare([MODEL])
    assert again.get("notes", "00001") == note(1)
    assert again.checkpoints() == {"notes": blocked}
    again.apply([change([(10, (Patch("notes", "00001", {"title": "cat"}),))], 10)])
    assert again.find(Query(collection="notes", where=(Matches("fox"),))) == []
    assert again.find(Query(collection="notes", where=(Matches("cat"),))) == [note(1, "cat")]
    again.close()


def test_a_full_disk_changes_nothing_and_passes(store):
    store.apply([change(puts(range(10)), 10)])
    before = list(dump(store, "notes"))
    store._database.writer.execute("PRAGMA max_page_count = 40")
    writes = [(20, (Patch("notes", "00003", {"title": "cat"}),)), *puts(range(20, 600), title="x" * 400)]
    with pytest.raises(StoreUnavailableError, match="full") as failure:
        store.apply([change(writes, 600)])
    assert isinstance(failure.value.__cause__, sqlite3.OperationalError)
    assert list(dump(store, "notes")) == before
    assert store.checkpoints()["notes"].sequence == 10
    store._database.writer.execute("PRAGMA max_page_count = 1000000")
    store.apply([change(writes, 600)])
    assert store.get("notes", "00003") == note(3, "cat")
    assert store.count("notes") == 590
    assert len(store.find(Query(collection="notes", where=(Equals("tags", "x"),), limit=1_000))) == 590


def test_a_rebuild_continues_after_a_full_disk(store):
    build = store.begin_rebuild(MODEL)
    store._database.writer.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreUnavailableError):
        build.apply(puts(range(1_000), title="x" * 400), 1_000)
    store._database.writer.execute("PRAGMA max_page_count = 1000000")
    build.apply(puts(range(1_000)), 1_000)
    build.switch()
    assert store.count("notes") == 1_000


def test_a_closed_store_is_unavailable(store):
    store.close()
    with pytest.raises(StoreUnavailableError):
        store.get("notes", "a")
    with pytest.raises(StoreUnavailableError):
        store.apply([change(puts([1]), 1)])
    with pytest.raises(StoreUnavailableError):
        store.dead_letters()


def test_a_file_that_is_no_database_is_unavailable(path):
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreUnavailableError):
        SQLiteDocumentStore(path)


def test_a_switch_leaves_one_generation(store, path):
    before = tables(path)
    build = store.begin_rebuild(MODEL)
    build.switch()
    after = tables(path)
    assert len(after) == len(before)
    assert {name.replace("_g2", "_g1") for name in after} == before


def test_preparing_drops_the_tables_of_an_interrupted_rebuild(store, path):
    before = tables(path)
    store.begin_rebuild(MODEL)
    store.close()
    again = SQLiteDocumentStore(path)
    again.prepare([MODEL])
    again.close()
    assert tables(path) == before


def test_a_new_index_is_created_for_an_existing_model(store, path):
    store.apply([change(puts(range(3)), 3)])
    collection = replace(MODEL.collections[0], indexes=(("title",), ("tags", "title")))
    store.prepare([replace(MODEL, collections=(collection,))])
    with sqlite3.connect(path) as connection:
        indexes = connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE '%i_tags_title'"
        ).fetchall()
    connection.close()
    assert len(indexes) == 1


def test_a_page_longer_than_a_value_may_be_is_read_row_by_row(store):
    store.apply([change(puts(range(5), title="y" * 1_000), 5)])
    with store._database.reading() as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 3_000)
    assert store.find(Query(collection="notes")) == [note(n, "y" * 1_000) for n in range(5)]


def test_the_connection_of_a_reader_ends_with_its_thread(store):
    threads = [threading.Thread(target=store.get, args=("notes", "a")) for _ in range(5)]
    for thread in threads:
        thread.start()
        thread.join()
    store.get("notes", "a")
    gc.collect()  # a connection and its statements refer to each other
    assert len(store._database._readers) == 1


@pytest.mark.parametrize("field", ["a'b", "a b", "", "a..b", "$"])
def test_a_field_name_cannot_carry_sql(store, field):
    with pytest.raises(ValueError, match="field name"):
        store.find(Query(collection="notes", sort=field))


def test_a_collection_name_cannot_carry_sql(store):
    with pytest.raises(ValueError, match="collection name"):
        store.prepare([replace(MODEL, collections=(Collection(name="x; DROP TABLE models"),))])


def test_a_file_of_a_release_without_a_column_gets_it(tmp_path):
    old = sqlite3.connect(tmp_path / "old.db")
    old.execute(
        "CREATE TABLE models (name TEXT PRIMARY KEY, version INTEGER NOT NULL, generation INTEGER NOT NULL, "
        "sequence INTEGER NOT NULL, blocked TEXT NOT NULL)"
    )
    old.execute("""INSERT INTO models VALUES ('notes', 1, 1, 7, '["s"]')""")
    old.commit()
    old.close()
    for _ in range(2):
        store = SQLiteDocumentStore(tmp_path / "old.db")
        store.prepare([MODEL])
        assert store.checkpoints()["notes"] == Checkpoint(sequence=7, blocked=frozenset({"s"}))
        store.close()


def test_dead_letters_of_an_older_release_are_kept(store, path):
    """That release knew one partition, and did not name it."""
    letter = DeadLetter(model="notes", stream="s", sequence=7, topic="t", reason="r")
    blocked = Checkpoint(sequence=7, blocked=frozenset({"s"}))
    store.apply([Change(model="notes", writes=(), checkpoint=blocked, dead_letters=[letter])])
    store.close()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE old (model TEXT NOT NULL, sequence INTEGER NOT NULL, stream TEXT NOT NULL, "
            "topic TEXT NOT NULL, reason TEXT, PRIMARY KEY (model, sequence)) WITHOUT ROWID;"
            "INSERT INTO old SELECT model, sequence, stream, topic, reason FROM dead_letters;"
            "DROP TABLE dead_letters; ALTER TABLE old RENAME TO dead_letters; DROP TABLE model_places;"
        )
    connection.close()
    for _ in range(2):
        again = SQLiteDocumentStore(path)
        again.prepare([MODEL])
        assert again.dead_letters()[0] == letter
        assert (again.checkpoints()["notes"], again.checkpoints(1)["notes"]) == (blocked, Checkpoint())
        again.close()
    later = SQLiteDocumentStore(path)
    later.prepare([MODEL])
    other = DeadLetter(model="notes", stream="u", sequence=7, topic="t", reason="r", partition=1)
    later.apply(
        [
            Change(
                model="notes", writes=(), checkpoint=Checkpoint(sequence=7), dead_letters=[other], partition=1
            )
        ]
    )
    assert later.dead_letters() == [letter, other]
    later.close()


@given(histories)
def test_what_is_remembered_is_what_is_stored(history):
    store = SQLiteDocumentStore(None)
    store.prepare([NOTES])
    for event in history:
        apply(store, [event])
        for collection, id_ in {(write.collection, write.id) for write in event[1]}:
            stored = store.get(collection, id_)
            assert store.remembered(collection, id_) == stored
    store.close()


def test_a_remembered_document_is_a_copy(store):
    store.apply([change(puts([1]), 2)])
    store.remembered("notes", "00001")["tags"].append("y")
    assert store.remembered("notes", "00001") == store.get("notes", "00001") == note(1)


def test_what_is_remembered_belongs_to_the_live_generation(store):
    store.apply([change(puts([1], title="old"), 2)])
    build = store.begin_rebuild(MODEL)
    build.apply(puts([1], title="new"), 2)
    assert store.remembered("notes", "00001")["title"] == "old"
    build.switch()
    assert store.remembered("notes", "00001") in (None, note(1, title="new"))
