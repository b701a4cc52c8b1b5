"""Apache Kafka's programs: Maven downloads them once into the user's cache."""

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devservers.errors import MissingError, ServerError

POM = Path(__file__).with_name("pom.xml")
_JAVA = 17
_FETCH_SECONDS = 300.0


def version() -> str:
    """Return the version of Kafka that pom.xml names."""
    version = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)", POM.read_text("utf-8"))
    if version is None:
        raise ServerError(f"{POM} names no version of Kafka")
    return version[1]


def cache() -> Path:
    """Return the folder of this user's cached files."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "codepark"


def java() -> str:
    """Return the Java program; raises MissingError where there is none, or one that is too old."""
    program = shutil.which("java")
    if program is None:
        raise MissingError(f"Kafka needs Java {_JAVA} or later, and there is no java")
    printed = _version_of(program)
    number = re.search(r'version "(\d+)', printed)
    if number is None or int(number[1]) < _JAVA:
        raise MissingError(f"Kafka needs Java {_JAVA} or later; {program} says {printed or 'nothing'!r}")
    return program


def java_version() -> str:
    """Return what Java says of its version; raises MissingError as `java` does."""
    return _version_of(java())


@functools.cache
def _version_of(program: str) -> str:
    return subprocess.run(  # noqa: S603 # found by its callers
        [program, "-version"], capture_output=True, text=True, timeout=60, check=False
    ).stderr.strip()


def jars() -> Path:
    """Return the folder of Kafka's programs; download them where they are missing."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    folder = cache() / f"kafka-{version()}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            if not folder.exists():  # no other process downloaded them while this one waited
                _fetch(folder)
    return folder


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock on *file* against other processes; it ends with the process that holds it."""
    with file.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingError("Maven downloads Kafka, and there is no mvn")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as name:
        fetched = Path(name) / "jars"
        download = subprocess.run(  # noqa: S603 # found above
            [
                maven,
                "-B",
                "-q",
                "-f",
                str(POM),
                "dependency:copy-dependencies",
                f"-DoutputDirectory={fetched}",
                "-DincludeScope=runtime",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
        if download.returncode:
            printed = (download.stdout + download.stderr)[-1500:].strip()
            raise MissingError(f"Maven could not download Kafka: {printed}")
        fetched.rename(folder)
