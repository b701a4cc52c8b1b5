"""The loader of `docker compose`: its plugin, or without Docker the command of compose-go, built once.

The command checks the schema, the types and the interpolation. That each name of a service, a volume or a
secret exists, only the plugin checks; tests/unit/test_compose.py does, too.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from devservers.errors import MissingError
from devservers.jars import cache, locked
from tests.support.time_scale import stretched

VERSION = "v2.16.2"
BUILD_SECONDS = 240.0


def checked(file: Path) -> "subprocess.CompletedProcess[str]":
    """Load *file* as `docker compose` does; raises MissingError where nothing here can."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
    command = (
        ["docker", "compose", "-f", str(file), "config", "-q"] if _has_plugin() else [_command(), str(file)]
    )
    return subprocess.run(
        command,
        env=inherited,
        cwd=file.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=stretched(60),
        check=False,
    )


def _has_plugin() -> bool:
    if shutil.which("docker") is None:
        return False
    command = ["docker", "compose", "version"]
    return subprocess.run(command, capture_output=True, timeout=stretched(60), check=False).returncode == 0


def _command() -> str:
    folder = cache() / f"compose-go-{VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            if not folder.exists():  # no other process built it while this one waited
                _build(folder)
    return str(folder / "cmd")


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise MissingError("compose.yaml is loaded by `docker compose` or by go, and neither is there")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".build-") as name:
        built = Path(name) / "bin"
        build = subprocess.run(
            [go, "install", f"github.com/compose-spec/compose-go/v2/cmd@{VERSION}"],
            env={**os.environ, "GOBIN": str(built)},
            cwd=name,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=stretched(BUILD_SECONDS),
            check=False,
        )
        if build.returncode:
            raise MissingError(f"go could not build compose-go {VERSION}: {build.stderr[-1500:].strip()}")
        built.rename(folder)
