"""Migrations of a real database."""

import threading

import pytest

from projections.mongodb.locks import LOCKS, LockedError, locked
from projections.mongodb.migrator import FOLDER, MIGRATIONS, MigrationError, Migrator, create, migrations
from projections.mongodb.model_registry import ALIASES
from tests.contract.projections.samples import note, put

pytestmark = pytest.mark.integration

MODULE = '''"""Add {name}."""

DESCRIPTION = "{name}"


def apply(database):
    database["done"].insert_one({{"_id": "{name}"}})


def rollback(database):
    database["done"].delete_one({{"_id": "{name}"}})
'''


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("one", "two", "three"), start=1):
        (tmp_path / f"{number:04}_{name}.py").write_text(MODULE.format(name=name))
    return tmp_path


@pytest.fixture
def migrator(client, mongodb_name, folder):
    return Migrator(client, mongodb_name, folder)


def done(database):
    return sorted(raw["_id"] for raw in database["done"].find())


def applied(migrator):
    return [state.number for state in migrator.status() if state.applied_at is not None]


def test_each_is_applied_once_in_order(migrator, database):
    assert migrator.apply(2) == [1, 2]
    assert (done(database), applied(migrator)) == (["one", "two"], [1, 2])
    assert migrator.apply() == [3]
    assert migrator.apply() == []
    assert done(database) == ["one", "three", "two"]


def test_the_last_ones_are_rolled_back_first(migrator, database):
    migrator.apply()
    assert migrator.rollback() == [3]
    assert migrator.rollback(5) == [2, 1]
    assert (done(database), applied(migrator)) == ([], [])


def test_a_failed_migration_is_not_recorded_and_releases_the_lock(migrator, folder, database):
    (folder / "0002_two.py").write_text("DESCRIPTION = 'x'\ndef apply(database): raise KeyError('x')\n")
    with pytest.raises(KeyError):
        migrator.apply()
    assert applied(migrator) == [1]
    assert database[LOCKS].count_documents({}) == 0


def test_a_changed_migration_stops_everything(migrator, folder):
    migrator.apply(1)
    (folder / "0001_one.py").write_text(MODULE.format(name="other"))
    assert [state.changed for state in migrator.status()] == [True, False, False]
    for attempt in (migrator.apply, migrator.rollback):
        with pytest.raises(MigrationError, match="has changed"):
            attempt()


def test_a_missing_migration_stops_everything(migrator, folder):
    migrator.apply()
    (folder / "0003_three.py").unlink()
    assert migrator.status()[-1].changed
    with pytest.raises(MigrationError, match="gone"):
        migrator.apply()


def test_only_one_of_several_runners_migrates(migrator, database):
    with locked(migrator._database, MIGRATIONS), pytest.raises(MigrationError, match="another process"):
        migrator.apply()
    assert done(database) == []
    outcomes = []

    def run():
        try:
            outcomes.append(migrator.apply())
        except MigrationError:
            outcomes.append([])

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for outcome in outcomes for number in outcome) == [1, 2, 3]


def test_the_lock_of_a_dead_process_expires(migrator):
    database = migrator._database
    with locked(database, "x", seconds=-1), locked(database, "x"):  # the first has ended, the second took it
        pass


def test_a_process_that_lost_the_lock_stops(migrator):
    database = migrator._database
    with locked(database, "x") as lock:
        database[LOCKS].delete_one({"_id": "x"})
        with pytest.raises(LockedError, match="lost"):
            lock.check()


def test_the_first_migration_prepares_what_stores_need_and_keeps_what_they_have(
    client, mongodb_name, database, new_store
):
    migrator = Migrator(client, mongodb_name)
    assert migrator.apply() == [migration.number for migration in migrations()]
    assert ALIASES in database.list_collection_names()
    store = new_store()
    put(store, [note("a")])
    migrator.rollback(len(migrations()))
    assert store.checkpoints()["notes"].sequence == 1
    migrator.apply()
    assert store.get("notes", "a") == note("a")


def test_a_database_that_applied_an_earlier_text_is_up_to_date(client, mongodb_name, database):
    migrator = Migrator(client, mongodb_name)
    migrator.apply()
    for earlier in migrations(FOLDER)[0].load().EARLIER_CHECKSUMS:
        database[MIGRATIONS].update_one({"_id": 1}, {"$set": {"checksum": earlier}})
        assert migrator.apply() == []
        assert not migrator.status()[0].changed


def test_what_a_start_has_made_needs_no_migration(client, mongodb_name, new_store):
    migrator = Migrator(client, mongodb_name)
    assert [state.needed for state in migrator.status()] == [True]
    new_store()
    assert [(state.applied_at, state.needed) for state in migrator.status()] == [(None, False)]


def test_a_new_migration_gets_the_next_number(folder):
    path = create("Drop old things!", folder)
    assert path.name == "0004_drop_old_things.py"
    assert [migration.number for migration in migrations(folder)] == [1, 2, 3, 4]
    with pytest.raises(MigrationError, match="letter"):
        create("42", folder)


def test_a_gap_in_the_numbers_is_an_error(folder):
    (folder / "0002_two.py").unlink()
    with pytest.raises(MigrationError, match="numbers"):
        migrations(folder)


def test_the_released_migrations_can_be_loaded():
    for migration in migrations(FOLDER):
        assert migration.load().DESCRIPTION
