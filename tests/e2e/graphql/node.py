"""Run programs with Node and the packages that the lock file of their folder names."""

import fcntl
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.cluster import cannot_have
from tests.support.time_scale import stretched

FOLDER = Path(__file__).parent
INSTALL_SECONDS = 90
RUN_SECONDS = 60


def run(program: str, *arguments: str, folder: Path = FOLDER) -> Any:
    """Return the JSON that *program*, a file of *folder*, prints."""
    install(folder)
    finished = subprocess.run(
        ["node", str(folder / program), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=stretched(RUN_SECONDS),
        check=False,
    )
    assert finished.returncode == 0, finished.stderr + finished.stdout
    return json.loads(finished.stdout.splitlines()[-1])


def install(folder: Path) -> None:
    """Install the packages of *folder* once for all workers of a run; those that are there already stay."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        cannot_have("there is no Node on this machine")
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    with (folder / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = folder / "node_modules" / ".installed"
        if marker.exists() and marker.read_text() == digest:
            return
        try:
            finished = subprocess.run(
                ["npm", "ci", "--ignore-scripts"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=stretched(INSTALL_SECONDS),
                check=False,
            )
        except subprocess.TimeoutExpired:
            cannot_have(f"npm did not install within {stretched(INSTALL_SECONDS):.0f} s")
        if finished.returncode != 0:
            cannot_have(f"npm could not install: {finished.stderr[-500:]}")
        marker.write_text(digest)
