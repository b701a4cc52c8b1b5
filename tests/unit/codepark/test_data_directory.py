"""What lies in the data directory and is nobody else's."""

import stat

from codepark.data_directory import DataDirectory


def test_what_a_server_announces_is_its_owners_alone(tmp_path):
    directory = DataDirectory(tmp_path / "data").hold()
    try:
        (directory.path / "server.json.new").write_text("left by a process that died")
        directory.announce("http://127.0.0.1:1", "redis://:a-password@127.0.0.1:2")
        file = directory.path / "server.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert directory.server().redis_url == "redis://:a-password@127.0.0.1:2"
    finally:
        directory.release()
