"""Apache Kafka's programs, fetched once by Maven into a folder of the user's cache."""

import fcntl
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
    found = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)", POM.read_text("utf-8"))
    if found is None:
        raise ServerError(f"{POM} names no version of Kafka")
    return found[1]


def cache() -> Path:
    """Return the folder of this user's cached files."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "codepark"


def java() -> str:
    """Return the Java program; raise MissingError where there is none, or one that is too old."""
    found = shutil.which("java")
    if found is None:
        raise MissingError(f"Kafka needs Java {_JAVA} or later, and there is no java")
    told = subprocess.run(  # noqa: S603 # found above
        [found, "-version"], capture_output=True, text=True, timeout=60, check=False
    ).stderr
    number = re.search(r'version "(\d+)', told)
    if number is None or int(number[1]) < _JAVA:
        raise MissingError(f"Kafka needs Java {_JAVA} or later; {found} says {told.strip() or 'nothing'!r}")
    return found


def jars() -> Path:
    """Return the folder of Kafka's programs; fetch them where they are not yet there."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    folder = cache() / f"kafka-{version()}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            if not folder.exists():  # nobody else fetched them while this one waited
                _fetch(folder)
    return folder


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock on *file*, against other processes too; it ends with its holder, however that ends."""
    with file.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingError("Kafka is fetched by Maven, and there is no mvn")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as name:
        fetched = Path(name) / "jars"
        done = subprocess.run(  # noqa: S603 # found above
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
        if done.returncode:
            raise MissingError(f"Maven could not fetch Kafka: {(done.stdout + done.stderr)[-1500:].strip()}")
        fetched.rename(folder)
