"""`codepark --install-completion` and `--show-completion`: complete commands and options in a shell."""

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.completion.detect import ShellDetectionError, detect_shell

from codepark.cli.failures import UsageError

Name = Literal["bash", "zsh", "fish"]
Shell = Annotated[Name | None, Parameter(help="The shell (default: the one that calls the command).")]


def install_completion(shell: Shell = None) -> None:
    """Write the script that completes commands and options where the shell looks for it."""
    from codepark.cli.main import app  # noqa: PLC0415 # it names this module

    path = app.install_completion(shell=_named(shell))
    print(f"the completion is in {path}: it works in the next shell")  # noqa: T201 # its result


def show_completion(shell: Shell = None) -> None:
    """Print the script that completes commands and options, to be kept anywhere."""
    from codepark.cli.main import app  # noqa: PLC0415 # as above

    print(app.generate_completion(shell=_named(shell)))  # noqa: T201 # its result


def _named(shell: Name | None) -> Name:
    """Return the shell that a person named, or the one that runs; raises UsageError where it is unknown."""
    if shell is not None:
        return shell
    try:
        detected = detect_shell()
    except ShellDetectionError:
        detected = None
    if detected is None or detected == "powershell":
        raise UsageError("which shell? Name one: bash, zsh or fish")
    return detected
