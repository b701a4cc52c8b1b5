"""The command line: `codepark …`."""

from codepark.cli.main import main

__all__ = ["main"]
