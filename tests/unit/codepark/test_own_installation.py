"""An installation knows its key, its log and its owner: what does not belong to it is refused."""

import base64
import os
import shutil
import sqlite3
import stat
from contextlib import closing, contextmanager

import pytest

from codepark.data_directory import DataDirectory, DataDirectoryError, NoDataDirectoryError
from codepark.private_files import open_to_others, tighten
from codepark.profiles.unwritten import UnwrittenInstallation
from codepark.settings import Settings
from commands.secrets import Secrets
from commands.sqlite.connections import read_only_uri
from domain.actor import SERVICE
from tests.support.documents import dump
from tests.support.embedded import create_project, register, started

OTHER = base64.b64encode(bytes(range(1, 33))).decode()


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def used(data):
    """A data directory in which something happened."""
    with started(data) as profile:
        create_project(profile, "engine")
        register(profile)
    return data


@contextmanager
def looking(data):
    """Open the installation as a command does that only looks."""
    with closing(UnwrittenInstallation(Settings(data=data))) as installation:
        yield installation


def project_ids(profile):
    return {document["id"] for document in dump(profile.store, "projects")}


def forget_key_check(data):
    """Leave the log as a release before the key check value left it."""
    with sqlite3.connect(data / "log.sqlite") as log:
        log.execute("DROP TABLE stored_events_key")


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


class TestSecretKey:
    def test_a_used_folder_without_its_key_is_refused_and_gets_no_other_one(self, used):
        (used / "secret.key").unlink()
        with (
            pytest.raises(DataDirectoryError, match=r"secret.key is missing .* put the file back"),
            started(used),
        ):
            pass
        assert not (used / "secret.key").exists()

    def test_another_key_in_the_folder_is_refused(self, used):
        (used / "secret.key").write_text(OTHER)
        with (
            pytest.raises(DataDirectoryError, match=r"secret.key is not the secret key that the event log"),
            started(used),
        ):
            pass

    def test_another_key_of_the_settings_is_refused_by_its_name(self, used):
        with (
            pytest.raises(DataDirectoryError, match="CODEPARK_SECRET_KEY"),
            started(used, secret=Secrets(bytes(32))),
        ):
            pass

    def test_the_right_key_of_the_settings_takes_the_place_of_the_file(self, used):
        secret = DataDirectory(used).existing_secrets()
        (used / "secret.key").unlink()
        with started(used, secret=secret) as profile:
            assert profile.log.tip().sequence == 4

    def test_an_installation_from_before_the_check_value_gets_it_at_its_next_start(self, used):
        forget_key_check(used)
        with started(used):
            pass
        shutil.copy(used / "secret.key", used.parent / "kept")
        (used / "keys.sqlite").write_bytes(b"")  # nothing but the check value tells now
        (used / "secret.key").write_text(OTHER)
        with pytest.raises(DataDirectoryError, match="is not the secret key"), started(used):
            pass

    def test_before_the_check_value_a_key_of_a_person_tells_another_secret(self, used):
        forget_key_check(used)
        (used / "secret.key").write_text(OTHER)
        with pytest.raises(DataDirectoryError, match="is not the secret key"), started(used):
            pass

    def test_commands_that_look_refuse_another_key_too(self, used):
        (used / "secret.key").write_text(OTHER)
        before = files(used)
        with pytest.raises(DataDirectoryError, match="is not the secret key"):
            UnwrittenInstallation(Settings(data=used))
        assert files(used) == before


class TestKeysOfPeople:
    def test_a_log_with_accounts_is_not_opened_without_their_keys(self, used):
        (used / "keys.sqlite").unlink()
        with (
            pytest.raises(DataDirectoryError, match=r"keys.sqlite is missing .* put the file back"),
            started(used),
        ):
            pass
        assert not (used / "keys.sqlite").exists(), "an empty one would look like an erasure of everybody"

    def test_an_empty_file_gives_the_personal_data_up(self, used):
        (used / "keys.sqlite").write_bytes(b"")
        with started(used) as profile:
            assert profile.log.tip().sequence == 4

    def test_a_log_without_accounts_needs_no_keys(self, data):
        with started(data) as profile:
            create_project(profile)
        (data / "keys.sqlite").unlink()
        with started(data) as profile:
            assert profile.log.tip().sequence == 1


class TestOwner:
    def test_everything_belongs_to_its_owner_alone_whatever_the_mask(self, data):
        mask = os.umask(0)
        try:
            with started(data) as profile:
                register(profile)
                assert list(open_to_others(data)) == []
                assert stat.S_IMODE(data.stat().st_mode) == 0o700
                modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
        finally:
            os.umask(mask)
        assert {
            "log.sqlite",
            "log.sqlite-wal",
            "read.sqlite-shm",
            "keys.sqlite",
            "secret.key",
        } <= modes.keys()
        assert set(modes.values()) == {0o600}

    def test_a_start_takes_the_rights_that_others_had(self, used):
        (used / "mail").mkdir()
        (used / "mail" / "1.eml").touch(0o644)
        for path in (used, *used.iterdir()):
            path.chmod(path.stat().st_mode | 0o055)
        assert used in list(open_to_others(used))
        with started(used):
            assert list(open_to_others(used)) == []

    def test_what_others_put_there_and_what_links_lead_to_stays_as_it_is(self, used):
        (used / "notes.txt").touch()
        (used / "notes.txt").chmod(0o644)
        outside = used.parent / "outside"
        outside.touch()
        outside.chmod(0o644)
        (used / "linked.sqlite").symlink_to(outside)
        tighten(used)
        assert stat.S_IMODE((used / "notes.txt").stat().st_mode) == 0o644
        assert stat.S_IMODE(outside.stat().st_mode) == 0o644


class TestReadModels:
    def test_read_models_ahead_of_their_log_are_built_again(self, data, used):
        shutil.copytree(used, data.with_name("older"))
        with started(used) as profile:
            gone = create_project(profile, "gone")
        with started(data.with_name("older")):
            pass
        for name in ("log.sqlite", "keys.sqlite"):
            shutil.copy(data.with_name("older") / name, used / name)
        with looking(used) as installation:
            assert "includes event 5, and the log ends at 4" in installation.misfit()
        with started(used) as profile:
            profile.catch_up(lambda *_: None, 60)
            assert profile.misfit() is None
            assert gone not in project_ids(profile)

    def test_read_models_of_another_log_that_is_as_long_are_built_again(self, data, used):
        other = data.with_name("other")
        shutil.copytree(used, other)
        with started(used) as profile:
            create_project(profile, "here")
        with started(other) as profile:
            there = create_project(profile, "there")
        shutil.copy(other / "log.sqlite", used / "log.sqlite")
        with looking(used) as installation:
            assert "was made from another log" in installation.misfit()
        with started(used) as profile:
            profile.catch_up(lambda *_: None, 60)
            assert there in project_ids(profile)

    @pytest.mark.parametrize("lose", [lambda log: log.unlink(), lambda log: log.write_bytes(b"")])
    def test_read_models_whose_log_is_missing_stop_the_start(self, used, lose):
        (used / "secret.key").unlink()
        lose(used / "log.sqlite")
        before = files(used)
        with (
            pytest.raises(DataDirectoryError, match=r"log.sqlite is missing .* from its backup"),
            started(used),
        ):
            pass
        assert {**files(used), "lock": b""} == {**before, "lock": b""}
        (used / "read.sqlite").unlink()
        (used / "keys.sqlite").unlink()
        with started(used) as profile:
            assert profile.log.tip().sequence == 0

    def test_read_models_that_fit_stay(self, used):
        before = (used / "read.sqlite").stat().st_ino
        with started(used) as profile:
            assert profile.misfit() is None
        assert (used / "read.sqlite").stat().st_ino == before


class TestPaths:
    @pytest.mark.parametrize(
        "name",
        [
            "c#proj",
            "p%41",
            "a b",
            "who?mode=memory",
            "é✓",
            "x&immutable=1",
            ":memory:",
            "a;b",
            "q'\"",
            os.fsdecode(b"n\xff"),
        ],
    )
    def test_any_path_holds_an_installation_of_its_own(self, tmp_path, name):
        data = tmp_path / name
        with started(data) as profile:
            project = create_project(profile, "here")
        assert {path.name for path in tmp_path.iterdir()} == {name}
        with started(data) as profile:
            assert profile.queries.projects.get(project, SERVICE)["name"] == "here"
        with looking(data) as installation:
            assert [record.topic for record in installation.log.read(0, 9)] == ["project.created"]

    def test_a_path_that_reads_like_another_one_in_a_uri_does_not_open_that_one(self, tmp_path):
        with started(tmp_path / "pA") as profile:
            create_project(profile, "there")
        with started(tmp_path / "p%41") as profile:
            assert profile.log.tip().sequence == 0
        assert read_only_uri(tmp_path / "p%41").endswith("p%2541?mode=ro")


class TestLooking:
    def test_nothing_is_made_in_a_folder_that_is_no_installation(self, tmp_path):
        for folder in (tmp_path / "missing", tmp_path):
            with pytest.raises(NoDataDirectoryError, match="is no data directory"):
                UnwrittenInstallation(Settings(data=folder))
        assert list(tmp_path.iterdir()) == []

    def test_looking_changes_no_byte_and_makes_no_file(self, used):
        before = files(used)
        with looking(used) as installation:
            assert len(installation.log.read(0, 10)) == 4
            assert installation.dead_letters(None) == []
            assert installation.included_by_model()["projects"] == 4
        assert files(used) == before

    def test_events_of_people_are_read_with_their_keys(self, used):
        with looking(used) as installation:
            events = [installation.log.event(record) for record in installation.log.read(0, 10)]
        assert "ada@example.org" in {getattr(event, "email", None) for event in events}

    def test_a_log_of_an_older_release_is_read_without_being_altered(self, used):
        with closing(sqlite3.connect(used / "log.sqlite")) as log:
            log.execute("ALTER TABLE stored_events DROP COLUMN operated_by")
        before = files(used)
        with looking(used) as installation:
            assert [record.sequence for record in installation.log.read(0, 10)] == [1, 2, 3, 4]
        assert files(used) == before

    def test_several_may_look_at_once_and_nobody_starts_meanwhile(self, used):
        refused = pytest.raises(DataDirectoryError, match="is being read by another command")
        with looking(used), looking(used), refused, started(used):
            pass
        with started(used):
            pass

    def test_a_journal_that_a_crash_left_is_read_too(self, data, used):
        crashed = data.with_name("crashed")
        with started(used) as profile:
            create_project(profile, "last")
            crashed.mkdir()
            for path in used.iterdir():
                if path.name != "lock":
                    shutil.copy(path, crashed)
        with looking(crashed) as installation:
            assert installation.log.tip().sequence == 5
