"""Run the console examples of a page in one shell, and compare what they print."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.time_scale import stretched

ADDRESS = "http://127.0.0.1:3000"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_END = "@@end@@"


@dataclass(frozen=True)
class Example:
    """A command of a page, and what the page says that it prints."""

    command: str
    expected: str


def examples(page):
    """Return the examples of *page*.

    A line that begins with `$ ` is a command; `> `, or a `\\` at the end of the line before, continues it.
    All other lines are its output.
    """
    result = []
    for block in _BLOCK.findall(page):
        command, output = None, []
        for line in block.splitlines():
            if command is not None and not output and (line[:2] in ("> ", ">") or command.endswith("\\")):
                command += "\n" + (line[2:] if line.startswith(">") else line)
                continue
            if not line.startswith("$ "):
                output.append(line)
                continue
            if command is not None:
                result.append(Example(command, "\n".join(output)))
            command, output = line[2:], []
        result.append(Example(command, "\n".join(output)))
    return result


def matches(expected, actual):
    """Return whether *actual* is as expected. `…` stands for any text in a line, alone for any lines."""
    lines = []
    for line in expected.splitlines():
        if line.strip() == "…":
            lines.append(r"(?:[^\n]*\n)*")
        else:
            lines.append("[^\\n]*".join(re.escape(part) for part in line.split("…")) + r"[ ]*\n")
    return re.fullmatch("".join(lines), actual.rstrip("\n") + "\n" if actual.strip() else "") is not None


class Shell:
    """A bash that keeps its variables between examples; the address in the pages stands for *address*."""

    def __init__(self, folder, address):
        self._address = address
        self._errors = Path(folder) / "stderr"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CODEPARK_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                ["bash", "--noprofile", "--norc"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env={**inherited, "PATH": path, "TERM": "dumb", "COLUMNS": "200", "LC_ALL": "C.UTF-8"},
                text=True,
                encoding="utf-8",
            )

    def run(self, command):
        """Return what *command* prints; standard error, with progress and warnings, is left out."""
        self._process.stdin.write(f"{command.replace(ADDRESS, self._address)}\necho; echo {_END}\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if line.rstrip("\n") == _END:
                break
            lines.append(line)
        return "".join(lines)[:-1].replace(self._address, ADDRESS)

    def errors(self):
        return self._errors.read_text(errors="replace")

    def close(self):
        try:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait(stretched(10))
        finally:
            self._process.kill()
