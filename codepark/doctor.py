"""Examine an installation, each part against what it should be."""

import stat
from collections.abc import Iterator

from msgspec import Struct

from codepark.cli.remote import operate
from codepark.data_directory import DataDirectory
from codepark.settings import Settings
from insights.analyser import AnalyserUnavailableError, ProcessAnalyser

_OWNER_ONLY = 0o600


class Finding(Struct, frozen=True):
    """The result for one part."""

    part: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Return the findings; raises what opening the installation raises."""
    directory = DataDirectory(settings.data)
    if not directory.path.is_dir():
        return [Finding("data directory", False, f"{directory.path} does not exist")]
    return [*_directory_findings(directory), *_inner_findings(settings), _analyser_finding()]


def _directory_findings(directory: DataDirectory) -> Iterator[Finding]:
    yield Finding("data directory", True, str(directory.path))
    key = directory.secret_key
    if key.exists():
        mode = stat.S_IMODE(key.stat().st_mode)
        yield Finding("secret key", mode == _OWNER_ONLY, f"{key.name} has mode {mode:o}")


def _analyser_finding() -> Finding:
    """Start the process that parses people's files, and say which limits this platform does not let it set."""
    part, analyser = "analyser", ProcessAnalyser()
    try:
        missing = analyser.missing()
    except AnalyserUnavailableError as error:
        return Finding(part, False, str(error))
    finally:
        analyser.close()
    if missing:
        return Finding(part, True, f"works, but this platform refuses it: {', '.join(missing)}")
    return Finding(part, True, "locked in: no secrets, files, connections or other processes; bounded memory")


def _inner_findings(settings: Settings) -> Iterator[Finding]:
    for finding in operate(settings, "examine", {})["findings"]:
        yield Finding(finding["part"], finding["ok"], finding["detail"])
