"""What the store needs from its server, and what it does without it."""

import time

import pytest

from projections.models.projects import MODEL as PROJECTS
from projections.mongodb import MongoDocumentStore, connect
from projections.mongodb.documents import POSITION, WORDS
from projections.store import Query, StoreUnavailableError
from projections.writes import Delete
from tests.contract.projections.samples import MODELS, apply, note, put
from tests.support.cluster import private_mongo
from tests.support.documents import dump
from tests.support.time_scale import stretched

pytestmark = pytest.mark.integration


def test_an_unavailable_server_is_an_error_in_time_until_it_comes_back(tmp_path):
    with private_mongo(tmp_path, durable=True) as server, connect(server.address, pool=(0, 5)) as client:
        store = MongoDocumentStore(client, "documents")
        store.prepare(MODELS)
        put(store, [note("a")])
        server.kill()
        for attempt in (
            lambda: store.get("notes", "a"),
            store.checkpoints,
            lambda: put(store, [note("b")], start=2),
            lambda: MongoDocumentStore(client, "documents").prepare(MODELS),
        ):
            begun = time.monotonic()
            with pytest.raises(StoreUnavailableError) as raised:
                attempt()
            assert time.monotonic() - begun < stretched(3)
            assert raised.value.__cause__ is not None
        server.start()
        put(store, [note("b")], start=2)
        assert list(dump(store, "notes")) == [note("a"), note("b")]


def test_a_uri_that_is_not_valid_is_an_error():
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        connect("mongodb://:::")


def test_clients_ask_for_majorities_and_a_full_pool():
    with connect("mongodb://127.0.0.1:1/") as client:
        options = client.options.pool_options
        assert (options.min_pool_size, options.max_pool_size) == (10, 100)
        database = MongoDocumentStore(client, "documents")._database
        assert database.write_concern.document == {"w": "majority", "j": True}
        assert database.read_concern.level == "majority"
        assert database.read_preference.mongos_mode == "primaryPreferred"


def test_a_store_that_is_not_prepared_yet_is_unavailable(client, mongodb_name):
    """A node serves while it prepares its store in the background."""
    store = MongoDocumentStore(client, mongodb_name)
    for read in (
        lambda: store.get("notes", "1"),
        lambda: store.get_many("notes", ["1"]),
        lambda: store.find(Query(collection="notes")),
        lambda: store.find_many([Query(collection="notes")]),
        lambda: store.count("notes"),
        lambda: store.totals("notes", (), ()),
        lambda: store.totals_by("notes", "group", ["a"], ()),
    ):
        with pytest.raises(StoreUnavailableError, match="notes is not prepared yet"):
            read()
    store.prepare(MODELS)
    assert store.get("notes", "1") is None
    store.close()


def test_projects_have_the_indexes_of_their_lists(new_store, database):
    new_store([PROJECTS])
    keys = [
        list(index["key"].items()) for index in database[f"projects_v{PROJECTS.version}_g1"].list_indexes()
    ]
    assert [("ownerId", 1), ("createdAt", -1), ("_id", -1)] in keys
    assert [("collaborators.userId", 1)] in keys
    assert [(WORDS, 1)] in keys


def test_documents_are_stored_with_fields_of_the_store_added(new_store, database):
    store = new_store()
    put(store, [note("a", title="Café au lait", size=2**40)])
    apply(store, [(2, (Delete("notes", "b"),))])
    raw = database["notes_v1_g1"].find_one({"_id": "a"})
    assert (raw["title"], raw[POSITION], raw[WORDS]) == ("Café au lait", 1, ["au", "cafe", "lait"])
    assert database["notes_v1_g1"].find_one({"_id": "b"}) == {"_id": "b", POSITION: 2, "_deleted": True}
    document = store.get("notes", "a")
    assert document == note("a", title="Café au lait", size=2**40)
    assert type(document["size"]) is int, "the JSON encoder knows no other number type"
