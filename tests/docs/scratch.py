"""A copy of the tree in which pages are followed, and what is run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.steps import steps, take
from tests.support.time_scale import stretched

ROOT = Path(__file__).parents[2]
RUN_SECONDS = 300
_PORTS = ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")
"""They say which ports this process of the run may use; a server that is started here takes one of them."""

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "node_modules", "codepark-data", "*.egg-info"
)


class Scratch:
    """A copy of the tree in *folder*, with the environment of this run; Python imports the copied modules."""

    def __init__(self, folder: Path) -> None:
        """Copy everything but caches, data and the history."""
        self.root = folder
        shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
        self._link_environment()

    def _link_environment(self) -> None:
        """Give `make` an environment that exists already, so that it installs nothing."""
        environment = self.root / ".venv"
        environment.mkdir()
        for part in Path(sys.prefix).iterdir():
            if part.name in ("bin", "lib", "lib64", "include", "pyvenv.cfg"):
                (environment / part.name).symlink_to(part)
        (environment / ".dev").touch()

    def follow(self, page: Path) -> list[str]:
        """Take every step of *page*; return the files that it changes or adds."""
        written = []
        for step in steps(page.read_text(encoding="utf-8")):
            if step.language == "sh":
                self.run("bash", "-euc", step.text)
            else:
                take(step, self.root)
                written.append(step.path)
        return list(dict.fromkeys(written))

    def run(self, *command: str) -> str:
        """Return what *command* prints; it must succeed."""
        finished = self.attempt(*command)
        assert finished.returncode == 0, f"$ {' '.join(command)}\n{finished.stdout[-8_000:]}"
        return finished.stdout

    def attempt(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run *command*, which may fail; its output includes standard error."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CODEPARK_", "PYTEST_")) or name in _PORTS
        }
        path = f"{self.root / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=self.root,
            env={**inherited, "PATH": path, "PYTHONPATH": str(self.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=stretched(RUN_SECONDS),
            check=False,
        )

    def python(self, *arguments: str) -> str:
        """Return what Python prints."""
        return self.run(str(self.root / ".venv" / "bin" / "python"), *arguments)
