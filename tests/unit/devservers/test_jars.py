"""Kafka's programs are downloaded once; what is missing for that is named."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devservers import jars
from devservers.errors import MissingError
from tests.support.time_scale import stretched


def test_the_version_of_kafka_is_read_from_the_pom():
    assert re.fullmatch(r"\d+\.\d+\.\d+", jars.version())


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingError, match="there is no java"):
        jars.java()
    with pytest.raises(MissingError, match="there is no mvn"):
        jars.jars()


def test_an_old_java_is_refused(monkeypatch, tmp_path):
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(MissingError, match="Java 17"):
        jars.java()


def test_fetching_takes_turns_and_leaves_all_or_nothing(monkeypatch, tmp_path):
    """Two that fetch at once: the second finds what the first one has fetched."""
    calls = tmp_path / "calls"
    maven = tmp_path / "mvn"
    maven.write_text(
        f"#!/bin/sh\necho x >> {calls}\nfor a; do case $a in -DoutputDirectory=*) d=${{a#*=}};; esac; done\n"
        "sleep 0.3; mkdir -p $d; touch $d/kafka.jar\n"
    )
    maven.chmod(0o700)
    env = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    command = [sys.executable, "-c", "from devservers.jars import jars; print(jars())"]
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    folders = {process.communicate(timeout=stretched(30))[0].strip() for process in both}
    assert len(folders) == 1
    assert [jar.name for jar in Path(folders.pop()).iterdir()] == ["kafka.jar"]
    assert calls.read_text() == "x\n"
    assert list((tmp_path / "codepark").glob(".fetch*")) == []
