"""`codepark …` in a process of its own, with no settings but those that the test gives."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devservers.program import Program
from tests.support.time_scale import stretched

STOP_SECONDS = 10.0


class CodeParkProgram(Program):
    """A process of `codepark` with *arguments*; *environment* are its settings, its output goes to a file."""

    ready_seconds = 60.0
    stop_seconds = STOP_SECONDS
    look_seconds = 0.01

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], output: Path
    ) -> None:
        super().__init__(name, output)
        self.arguments = arguments
        self.environment = dict(environment)
        self.ready_seconds = stretched(type(self).ready_seconds)
        self.stop_seconds = stretched(type(self).stop_seconds)

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of this process, without its settings, and the program's own settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CODEPARK_")}
        return inherited | self.environment

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-m", "codepark.cli", *self.arguments]

    def ended(self, seconds: float | None = None) -> int:
        return super().ended(None if seconds is None else stretched(seconds))

    def stop(self, seconds: float | None = None) -> int:
        """End the process in order and return its exit code; one that has to be killed fails the test."""
        limit = self.stop_seconds if seconds is None else stretched(seconds)
        assert self.identity.end(limit), f"{self.name} did not end within {limit} s: {self.last_words()}"
        return self.ended()
