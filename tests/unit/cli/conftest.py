"""The command line in this process: arguments in, exit status and output out."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog

from codepark.cli.main import main
from tests.support.embedded import started


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    output: str
    errors: str

    @property
    def document(self) -> Any:
        """Return the JSON that the command ended with."""
        return json.loads(self.output.splitlines()[-1])

    @property
    def sentence(self) -> str:
        """Return the sentence with which the command was refused: one line, and nothing else."""
        assert (self.status, self.output) in ((1, ""), (2, "")), self
        (line,) = self.errors.splitlines()
        assert line.startswith("codepark: ")
        return line.removeprefix("codepark: ")


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Run]:
    """Run `codepark` with arguments, without settings but those that the test sets."""
    for name in ("CODEPARK_DATA", "CODEPARK_MONGODB_URI", "MONGODB_URI", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    mask = os.umask(0o022)
    configure = structlog.configure
    # A logger that is kept after its first use would write to the standard error of that test.
    monkeypatch.setattr(
        structlog, "configure", lambda **how: configure(**how | {"cache_logger_on_first_use": False})
    )

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        try:
            main([str(argument) for argument in arguments])
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        printed = capfd.readouterr()
        return Ended(status, printed.out, printed.err)

    yield run
    os.umask(mask)
    structlog.reset_defaults()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def installation(data: Path) -> Path:
    """A data directory with an installation in which nothing has happened yet."""
    with started(data):
        pass
    return data
