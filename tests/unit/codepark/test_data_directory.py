"""The data directory: one process holds it, and what is in it belongs to its owner alone."""

import base64
import stat
import subprocess
import sys

import pytest

from codepark.data_directory import DataDirectory, DataDirectoryError, DirectoryHeldError
from commands.kms import new_master_key, write_master_keys
from tests.support.time_scale import stretched

HOLD = """
import sys
from pathlib import Path
from codepark.data_directory import DataDirectory
directory = DataDirectory(Path(sys.argv[1])).hold()
print("held", flush=True)
sys.stdin.read()
"""

SECRET = """
import sys
from pathlib import Path
from codepark.data_directory import DataDirectory
print(DataDirectory(Path(sys.argv[1])).secrets().master_key.hex())
"""


@pytest.fixture
def directory(tmp_path):
    directory = DataDirectory(tmp_path / "data")
    yield directory
    directory.release()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_made_before_it_is_held(tmp_path):
    DataDirectory(tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_the_files_lie_in_it(directory):
    names = ["log.sqlite", "keys.sqlite", "read.sqlite", "master.keys", "secret.key"]
    paths = [
        directory.log,
        directory.keys,
        directory.read_models,
        directory.master_keys,
        directory.secret_key,
    ]
    assert [path.name for path in paths] == names
    assert {path.parent for path in paths} == {directory.path}


class TestHold:
    def test_another_process_that_holds_it_is_named(self, tmp_path):
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "data")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as holder:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(DirectoryHeldError, match=rf"held by another process \(pid {holder.pid}\)"):
                DataDirectory(tmp_path / "data").hold()
            holder.kill()
            holder.wait(stretched(20))
            DataDirectory(tmp_path / "data").hold().release()

    def test_it_can_be_held_again_after_the_release(self, directory):
        directory.hold()
        directory.release()
        directory.release()
        directory.hold()

    def test_a_path_that_is_a_file_cannot_be_held(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(DataDirectoryError, match="cannot be used"):
            DataDirectory(tmp_path / "file").hold()


class TestSecret:
    def test_it_is_made_once_for_its_owner_alone(self, directory):
        first = directory.secrets()
        assert mode(directory.secret_key) == 0o600
        assert len(base64.b64decode(directory.secret_key.read_text())) == 32
        assert directory.secrets().master_key == first.master_key

    def test_processes_that_start_together_agree_on_one(self, directory):
        command = [sys.executable, "-c", SECRET, str(directory.path)]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        keys = [process.communicate(timeout=stretched(60))[0].strip() for process in processes]
        assert keys == [directory.secrets().master_key.hex()] * 4
        assert [file.name for file in directory.path.iterdir()] == ["secret.key"]

    def test_a_damaged_one_is_named(self, directory):
        directory.path.mkdir()
        directory.secret_key.write_text("too short")
        with pytest.raises(DataDirectoryError, match=r"secret.key is damaged"):
            directory.secrets()

    def test_one_that_cannot_be_read_is_named(self, directory):
        directory.path.mkdir()
        directory.secret_key.mkdir()
        with pytest.raises(DataDirectoryError, match=r"secret.key cannot be used"):
            directory.secrets()


class TestMasterKeys:
    def test_before_the_first_rotation_the_derived_one_wraps(self, directory):
        secrets = directory.secrets()
        kms = directory.kms(secrets)
        assert kms.version == 1
        assert kms.unwrap(kms.wrap(bytes(32))) == bytes(32)

    def test_the_newest_of_the_file_wraps(self, directory):
        secrets = directory.secrets()
        write_master_keys(directory.master_keys, {2: new_master_key(), 3: new_master_key()})
        assert directory.kms(secrets).version == 3

    def test_a_file_that_is_none_is_named(self, directory):
        secrets = directory.secrets()
        directory.master_keys.write_text("not a key\n")
        with pytest.raises(DataDirectoryError, match=r"master.keys cannot be used"):
            directory.kms(secrets)


class TestAnnouncement:
    def test_nobody_has_announced_a_server(self, directory):
        assert directory.server() is None

    def test_it_says_where_the_server_answers(self, directory, tmp_path):
        directory.hold()
        directory.announce("https://127.0.0.1:1", "redis://r", tmp_path / "cert.pem")
        server = directory.server()
        assert (server.url, server.redis_url) == ("https://127.0.0.1:1", "redis://r")
        assert server.certificate == str(tmp_path / "cert.pem")
        assert server.pid > 0

    def test_it_is_its_owners_alone_and_replaces_what_a_crash_left(self, directory):
        directory.hold()
        (directory.path / "server.json.new").write_text("left by a process that died")
        directory.announce("http://127.0.0.1:1", "redis://:a-password@127.0.0.1:2")
        assert mode(directory.path / "server.json") == 0o600
        assert directory.server().redis_url == "redis://:a-password@127.0.0.1:2"

    def test_it_ends_with_the_hold(self, directory):
        directory.hold()
        directory.announce("http://127.0.0.1:1")
        directory.release()
        assert directory.server() is None

    def test_a_half_written_one_is_none(self, directory):
        directory.hold()
        (directory.path / "server.json").write_text('{"pid": 1')
        assert directory.server() is None
