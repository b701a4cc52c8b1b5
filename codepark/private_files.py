"""Files and folders that belong to their owner alone: a data directory holds addresses and private files."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS = 0o077
_FOLDERS = ("mail", "replica")
_WORKERS = "worker-*"
_FILES = (
    "*.sqlite",
    "*.sqlite-wal",
    "*.sqlite-shm",
    "*.sqlite-journal",
    "*.keys",
    "*.key",
    "lock",
    "server.json",
)


def for_owner_only() -> None:
    """Let this process and its children make files that only their owner may read and write."""
    os.umask(_OTHERS)


def tighten(folder: Path) -> None:
    """Take the rights of others from a data directory and its files, where they belong to this user."""
    for path in open_to_others(folder):
        try:
            mode = FOLDER_MODE if path.is_dir() else FILE_MODE
            path.chmod(mode if path.is_dir() else mode & stat.S_IMODE(path.stat().st_mode))
        except OSError:  # somebody else's: `codepark doctor` names it
            continue


def open_to_others(folder: Path) -> Iterator[Path]:
    """Yield the data directory and those of its files and folders that others have rights on."""
    for path in _parts(folder):
        try:
            status = path.lstat()
        except OSError:
            continue
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & _OTHERS:
            yield path


def _parts(folder: Path) -> Iterator[Path]:
    """Yield a data directory with what CodePark makes in it; what else lies there is not ours."""
    yield folder.resolve()
    for pattern in _FILES:
        yield from sorted(folder.glob(pattern))
    for name in _FOLDERS:
        if (folder / name).is_dir():
            yield folder / name
            yield from sorted((folder / name).iterdir())
    for worker in sorted(folder.glob(_WORKERS)):
        if worker.is_dir():
            yield from _parts(worker)
