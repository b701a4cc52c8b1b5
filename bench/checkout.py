"""Another checkout of the repository: its interpreter, its code, its server."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from bench.codepark_server import CodePark

_ANSWER_SECONDS = 60.0
_WHERE = "import codepark; print(codepark.__file__)"


class CheckoutError(Exception):
    """A folder is not a checkout that can be run; the text says why."""


class Checkout:
    """A checkout at *root*; its code runs in its own `.venv` where it has one, else in this interpreter."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @cached_property
    def python(self) -> str:
        """The path of the interpreter that runs the checkout."""
        own = self.root / ".venv" / "bin" / "python"
        return str(own) if own.exists() else sys.executable

    @property
    def env(self) -> dict[str, str]:
        """The environment of a process of the checkout; the working directory is not on its path."""
        return {"PYTHONPATH": str(self.root), "PYTHONSAFEPATH": "1"}

    @cached_property
    def commit(self) -> str | None:
        """The commit that is checked out, with `-dirty` where tracked files differ; None without git."""
        described = subprocess.run(
            ["git", "-C", str(self.root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            capture_output=True,
            text=True,
            check=False,
        )
        return described.stdout.strip() or None

    def check(self) -> None:
        """Raise CheckoutError where the interpreter does not import the checkout's own code."""
        try:
            imported = Path(self.run(["-c", _WHERE]).strip())
        except subprocess.CalledProcessError as error:
            raise CheckoutError(f"{self.root} cannot be imported: {error.stderr[-500:]}") from error
        if not imported.is_relative_to(self.root):
            raise CheckoutError(f"{self.python} imports {imported}, which is not in {self.root}")

    def run(self, arguments: Sequence[str], seconds: float = _ANSWER_SECONDS) -> str:
        """Run the interpreter with the checkout's code; return what it prints."""
        return subprocess.run(
            [self.python, *arguments],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds,
        ).stdout

    def codepark(self, folder: Path, env: Mapping[str, str] | None = None) -> CodePark:
        """Return the checkout's `codepark` over a data directory in *folder*."""
        return CodePark(folder, self.env | dict(env or {}), program=[self.python, "-m", "codepark.cli"])
