"""The write-ahead log is moved into its file beside the writer."""

import sqlite3

from codepark import wal_checkpointer
from codepark.wal_checkpointer import WalCheckpointer
from tests.support.server import eventually


def test_a_grown_log_is_moved_into_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_checkpointer, "_LARGE", 100_000)
    monkeypatch.setattr(wal_checkpointer, "_EVERY_SECONDS", 0.01)
    path = tmp_path / "some.sqlite"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("CREATE TABLE t (x BLOB)")
    writer.execute("INSERT INTO t VALUES (zeroblob(10))")
    before = path.stat().st_size
    checkpointer = WalCheckpointer([path, tmp_path / "missing.sqlite"])
    writer.execute("INSERT INTO t VALUES (zeroblob(400000))")
    assert eventually(lambda: path.stat().st_size > before + 400_000)
    checkpointer.close()
    writer.close()
