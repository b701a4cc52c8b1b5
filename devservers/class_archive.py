"""An archive of the classes that a broker loads: with it, the next broker starts with half the work.

The first broker that ends in order writes it (Java's dynamic class data sharing, JEP 350) into the user's
cache, next to Kafka's programs. Java ignores an archive of other programs or of another Java.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from devservers.jars import jars, java_version


def options(written: Path | None) -> list[str]:
    """Return the options that let Java use the archive; where there is none, write it to *written*, if given.

    To write it takes seconds at the end of the process.
    """
    archive = _archive()
    if archive.exists():
        return [f"-XX:SharedArchiveFile={archive}"]
    return [] if written is None else [f"-XX:ArchiveClassesAtExit={written}"]


def keep(written: Path) -> None:
    """Make what an ended broker has written the archive of the next ones."""
    archive = _archive()
    if archive.exists() or not written.exists():
        return
    descriptor, name = tempfile.mkstemp(dir=archive.parent, prefix=".classes-")
    os.close(descriptor)
    shutil.copyfile(written, name)
    Path(name).replace(archive)


def _archive() -> Path:
    folder = jars()
    digest = hashlib.sha256(java_version().encode()).hexdigest()[:8]
    return folder.with_name(f"{folder.name}-{digest}.jsa")
