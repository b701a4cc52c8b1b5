"""The archive of a broker's classes is written once, by one that ends in order, and used by the next ones."""

import pytest

from devservers import class_archive


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return the file that a broker writes, with Kafka's programs in an empty cache."""
    monkeypatch.setattr(class_archive, "jars", lambda: tmp_path / "kafka-1")
    monkeypatch.setattr(class_archive, "java_version", lambda: 'openjdk version "17"')
    return tmp_path / "broker" / "classes.jsa"


def test_the_first_broker_writes_it_and_the_next_ones_use_it(written, tmp_path):
    assert class_archive.options(written) == [f"-XX:ArchiveClassesAtExit={written}"]
    assert class_archive.options(None) == [], "a broker that lives long writes none"
    written.parent.mkdir()
    written.write_bytes(b"classes")
    class_archive.keep(written)
    (archive,) = tmp_path.glob("*.jsa")
    assert archive.read_bytes() == b"classes"
    assert class_archive.options(written) == [f"-XX:SharedArchiveFile={archive}"]
    written.write_bytes(b"others")
    class_archive.keep(written)
    assert archive.read_bytes() == b"classes", "a broker that runs may use it"


def test_a_broker_that_was_killed_leaves_none(written, tmp_path):
    class_archive.keep(written)
    assert list(tmp_path.glob("*.jsa")) == []


def test_each_java_has_its_own(written, tmp_path, monkeypatch):
    written.parent.mkdir()
    written.write_bytes(b"classes")
    class_archive.keep(written)
    monkeypatch.setattr(class_archive, "java_version", lambda: 'openjdk version "21"')
    assert class_archive.options(written) == [f"-XX:ArchiveClassesAtExit={written}"]
