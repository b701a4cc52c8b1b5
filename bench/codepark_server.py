"""CodePark as its users run it: the program `codepark`, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.processes import Server, answers_ready, start
from devservers.errors import ServerError
from devservers.ports import free_port

_COMMAND_SECONDS = 900.0
_SETTINGS = {"CODEPARK_RATE_LIMITS": "off"}


def installed_program() -> list[str]:
    """Return the command that runs `codepark`; raise ServerError where it is not installed."""
    own = Path(sys.executable).parent / "codepark"
    path = str(own) if own.exists() else shutil.which("codepark")
    if path is None:
        raise ServerError("the program codepark is not installed in this environment")
    return [path]


class CodePark:
    """A data directory in *folder* and a program that works on it, with *env* added to this environment.

    The *program* is this environment's `codepark` where none is given.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str] | None = None, *, program: Sequence[str] | None = None
    ) -> None:
        self.data = folder / "data"
        self._folder = folder
        self._env = _SETTINGS | dict(env or {})
        self._program = list(program or installed_program())

    def serve(self, ready: Callable[[int], bool] = answers_ready) -> tuple[Server, float]:
        """Start the server; return it and the seconds until it was *ready*."""
        port = free_port()
        command = [*self._program, "serve", "--port", str(port), "--data", str(self.data)]
        return start("codepark", command, port, folder=self._folder, env=self._env, ready=ready)

    def token(self) -> str:
        """Return an access token for an administrator."""
        return self.run("token", "--role", "admin", "--data", str(self.data)).splitlines()[-1].strip()

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command that ends with one line of JSON; return that JSON."""
        document: dict[str, Any] = json.loads(self.run(*arguments, "--json").splitlines()[-1])
        return document

    def run(self, *arguments: str) -> str:
        """Run a command; return its output; raise ServerError where it fails."""
        completed = subprocess.run(
            [*self._program, *arguments],
            env={**os.environ, **self._env},
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )
        if completed.returncode or not completed.stdout.strip():
            reason = completed.stderr[-2000:]
            raise ServerError(f"codepark {arguments[0]} ended with {completed.returncode}: {reason}")
        return completed.stdout
