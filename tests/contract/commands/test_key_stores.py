"""What every key store must do, in SQLite and in MongoDB; and the master keys that wrap the keys."""

from uuid import uuid4

import pytest
from pymongo import MongoClient

from commands.keys import KeyDestroyedError
from commands.kms import KmsError, LocalKms, new_master_key, read_master_keys, write_master_keys
from commands.mongodb.keys import MongoKeyStore
from commands.sqlite.keys import SQLiteKeyStore

MASTER = bytes(range(32))


@pytest.fixture(params=["sqlite", "mongodb"])
def opened(request, tmp_path):
    """Return a function that opens the store again, as another process does."""
    if request.param == "sqlite":
        yield lambda kms: SQLiteKeyStore(tmp_path / "keys.sqlite", kms)
        return
    client = MongoClient(request.getfixturevalue("mongodb_uri"))
    collection = client["keys"][uuid4().hex]
    yield lambda kms: MongoKeyStore(collection, kms)
    collection.drop()
    client.close()


def test_keys_are_made_once_and_kept(opened) -> None:
    store = opened(LocalKms(MASTER))
    assert store.get("ada") is None
    store.ensure(["ada", "bob"])
    key = store.get("ada")
    assert len(key) == 32
    store.ensure(["ada", "eve"])
    store.close()
    again = opened(LocalKms(MASTER))
    assert again.get("ada") == key
    assert len({again.get(name) for name in ("ada", "bob", "eve")}) == 3
    again.close()


def test_a_destroyed_key_never_comes_back(opened) -> None:
    store = opened(LocalKms(MASTER))
    store.ensure(["ada", "bob"])
    store.destroy(["ada", "nobody"])
    assert store.get("ada") is None
    for who in ("ada", "nobody"):
        with pytest.raises(KeyDestroyedError):
            store.ensure([who])
    store.ensure(["bob"])
    store.close()
    again = opened(LocalKms(MASTER))
    assert again.get("ada") is None
    assert again.get("bob") is not None
    with pytest.raises(KeyDestroyedError):
        again.ensure(["eve", "ada"])
    again.close()


def test_a_key_that_another_process_destroyed_can_be_forgotten(opened) -> None:
    store, other = opened(LocalKms(MASTER)), opened(LocalKms(MASTER))
    store.ensure(["ada"])
    assert other.get("ada") == store.get("ada")
    store.destroy(["ada"])
    other.forget(["ada"])
    assert other.get("ada") is None
    store.close()
    other.close()


def test_a_new_master_key_wraps_every_key_again(opened) -> None:
    store = opened(LocalKms(MASTER))
    people = [f"p{number}" for number in range(1_203)]
    store.ensure(people)
    store.destroy(["p7"])
    keys = {person: store.get(person) for person in people}
    store.close()
    second = new_master_key()
    rotating = opened(LocalKms(MASTER, {2: second}))
    assert rotating.rewrap() == len(people) - 1
    assert rotating.rewrap() == 0
    rotating.ensure(["new"])
    rotating.close()
    after = opened(LocalKms(bytes(32), {2: second}))  # without the old one
    assert {person: after.get(person) for person in people} == keys
    assert after.get("new") is not None
    after.close()
    before = opened(LocalKms(MASTER))
    with pytest.raises(KmsError, match="version 2"):
        before.get("p1")
    before.close()


def test_a_wrong_master_key_is_refused(opened) -> None:
    store = opened(LocalKms(MASTER))
    store.ensure(["ada"])
    store.close()
    other = opened(LocalKms(bytes(32)))
    with pytest.raises(KmsError, match="version 1"):
        other.get("ada")
    other.close()


def test_the_file_of_master_keys(tmp_path) -> None:
    path, keys = tmp_path / "master.keys", {2: new_master_key(), 3: new_master_key()}
    write_master_keys(path, keys)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_master_keys(path) == keys
    for line in ("1 " + "A" * 44, "2 short", "x", "2 ?"):
        path.write_text(line)
        with pytest.raises(KmsError, match="line 1"):
            read_master_keys(path)
