"""Options that several commands take, and the settings that they lead to."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from codepark import logs
from codepark.settings import Settings, read_settings

Data = Annotated[Path | None, Parameter(name="--data", help="The data directory (default: ./codepark-data).")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Write JSON for scripts.")]


def quiet_settings(data: Path | None) -> Settings:
    """Read the settings of a command that writes nothing but its result: only warnings are logged."""
    settings = read_settings(os.environ, data=data)
    logs.configure("warning")
    return settings
