"""Examine an installation, each part by what it should be."""

import stat
from collections.abc import Iterator

from msgspec import Struct

from codepark.cli.remote import operate
from codepark.data_directory import DataDirectory
from codepark.settings import Settings


class Finding(Struct, frozen=True):
    """What was found of one part."""

    part: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Return the findings; raises what opening the installation raises."""
    directory = DataDirectory(settings.data)
    if not directory.path.is_dir():
        return [Finding("data directory", False, f"{directory.path} does not exist")]
    return [*_files(directory), *_inside(settings)]


def _files(directory: DataDirectory) -> Iterator[Finding]:
    yield Finding("data directory", True, str(directory.path))
    key = directory.path / "secret.key"
    if key.exists():
        mode = stat.S_IMODE(key.stat().st_mode)
        yield Finding("secret key", mode == 0o600, f"{key.name} has mode {mode:o}")  # noqa: PLR2004 # rw for its owner


def _inside(settings: Settings) -> Iterator[Finding]:
    found = operate(settings, "examine", {})
    for item in found["findings"]:
        yield Finding(item["part"], item["ok"], item["detail"])
