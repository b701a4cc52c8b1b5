"""CodePark as its users run it: the `codepark` program, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.processes import Server, answers_ready, start
from devservers.errors import ServerError
from devservers.ports import free_port

_COMMAND_SECONDS = 900.0
_SETTINGS = {"CODEPARK_RATE_LIMITS": "off"}


def program() -> list[str]:
    """Return how to run `codepark`; raise ServerError where it is not installed."""
    installed = Path(sys.executable).parent / "codepark"
    path = str(installed) if installed.exists() else shutil.which("codepark")
    if path is None:
        raise ServerError("the program codepark is not installed in this environment")
    return [path]


class CodePark:
    """A data directory and the program that works on it; *env* is added to the variables of this process."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.data = folder / "data"
        self._folder = folder
        self._env = _SETTINGS | dict(env or {})

    def serve(self, ready: Callable[[int], bool] = answers_ready) -> tuple[Server, float]:
        """Start the server; return it and the seconds until it was *ready*."""
        port = free_port()
        command = [*program(), "serve", "--port", str(port), "--data", str(self.data)]
        return start("codepark", command, port, folder=self._folder, env=self._env, ready=ready)

    def token(self) -> str:
        """Return an access token for an administrator."""
        return self.run("token", "--role", "admin", "--data", str(self.data)).splitlines()[-1].strip()

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command that ends with one line of JSON."""
        result: dict[str, Any] = json.loads(self.run(*arguments, "--json").splitlines()[-1])
        return result

    def run(self, *arguments: str) -> str:
        """Run a command; return its output; raise ServerError where it fails."""
        command = subprocess.run(
            [*program(), *arguments],
            env={**os.environ, **self._env},
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )
        if command.returncode or not command.stdout.strip():
            raise ServerError(
                f"codepark {arguments[0]} ended with {command.returncode}: {command.stderr[-2000:]}"
            )
        return command.stdout
