"""What operators ask of the embedded profile: rebuilds, retries, and new master keys."""

import pytest

from codepark.data_directory import DataDirectory, DataDirectoryError
from commands.kms import new_master_key, read_master_keys, write_master_keys
from domain.actor import SERVICE
from tests.support.documents import dump
from tests.support.embedded import add_dead_letter, carry_out, create_project, register, started


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


class TestRebuild:
    def test_a_model_is_built_again_from_the_first_event(self, data):
        with started(data) as profile:
            project = create_project(profile, "engine")
            before = list(dump(profile.store, "projects"))
            shown = []
            model = profile.models[0]
            sequence = profile.maintenance.rebuild(model, lambda *progress: shown.append(progress))
            assert sequence == profile.log.tip().sequence == 1
            assert shown[-1] == (1, 1)
            assert list(dump(profile.store, "projects")) == before
            carry_out(profile, "project.update", target=project, name="machine")
            assert profile.queries.projects.get(project, SERVICE)["name"] == "machine"

    def test_each_model_is_rebuilt_by_its_runner(self, data):
        with started(data) as profile:
            project = create_project(profile)
            carry_out(profile, "file.write", target=project, path="a.py", content="def f(): pass\n")
            profile.catch_up(lambda *_: None, 60)
            documents = list(dump(profile.store, "file_insights"))
            assert len(documents) == 1
            assert [profile.maintenance.rebuild(model, None) for model in profile.models] == [2] * len(
                profile.models
            )
            assert list(dump(profile.store, "file_insights")) == documents


class TestDeadLetters:
    def test_there_are_none(self, data):
        with started(data) as profile:
            assert profile.maintenance.retry_dead_letters() == {"solved": 0, "left": 0}

    def test_a_letter_that_can_be_projected_now_unblocks_its_stream(self, data):
        with started(data) as profile:
            project = create_project(profile)
            add_dead_letter(profile, project)
            assert profile.progress.blocked("projects") == {f"project-{project}"}
            assert profile.maintenance.retry_dead_letters() == {"solved": 1, "left": 0}
            assert profile.progress.blocked("projects") == frozenset()
            assert profile.store.dead_letters() == []


class TestMasterKeys:
    def test_a_new_key_wraps_and_the_earlier_ones_are_destroyed(self, data):
        with started(data) as profile:
            account = register(profile)
            first = profile.maintenance.rotate_master_key()
            assert first == {"version": 2, "wrapped": 1}
            old = read_master_keys(profile.directory.master_keys)
            assert profile.maintenance.rotate_master_key() == {"version": 3, "wrapped": 1}
            new = read_master_keys(profile.directory.master_keys)
            assert (set(old), set(new)) == ({2}, {3})
        with started(data) as profile:
            assert profile.queries.accounts.get_own(account)["email"] == "ada@example.org"
            (event,) = [e for e in _events(profile) if e.TOPIC == "account.registered"]
            assert event.email == "ada@example.org"

    def test_a_person_of_after_the_rotation_has_the_new_key(self, data):
        with started(data) as profile:
            profile.maintenance.rotate_master_key()
            register(profile)
            assert profile.maintenance.rotate_master_key() == {"version": 3, "wrapped": 1}

    def test_the_file_of_the_directory_is_needed_afterwards(self, data):
        with started(data) as profile:
            register(profile)
            profile.maintenance.rotate_master_key()
        file = DataDirectory(data).master_keys
        write_master_keys(file, {2: new_master_key()})
        with pytest.raises(DataDirectoryError, match="another key wrapped it"), started(data):
            pass

    def test_the_operators_own_file_is_theirs_to_change(self, data):
        keys = {2: new_master_key(), 3: new_master_key()}
        with started(data) as profile:
            register(profile)
        with started(data, master_keys=keys) as profile:
            assert profile.maintenance.rotate_master_key() == {"version": 3, "wrapped": 1}
            assert profile.maintenance.rotate_master_key() == {"version": 3, "wrapped": 0}
            assert not profile.directory.master_keys.exists()


def _events(profile):
    return [profile.log.event(record) for record in profile.log.read(0, 100)]
