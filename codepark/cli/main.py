"""The commands and how they end: status 0 only on success, a sentence on standard error otherwise."""

import sys

import cyclopts

from codepark.cli.failures import FAILURES, sentence
from codepark.cli.history import import_git
from codepark.cli.operations import account_app, dead_letters_app, doctor, events_app, rebuild
from codepark.cli.serving import serve, token

app = cyclopts.App(
    name="codepark",
    help="The backend of a collaborative code platform whose event history is the product.",
    version_flags=["--version"],
)
app.command(serve)
app.command(token)
app.command(import_git, name="import-git")
app.command(rebuild)
app.command(doctor)
app.command(account_app)
app.command(events_app)
app.command(dead_letters_app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except FAILURES as error:
        print(f"codepark: {sentence(error)}", file=sys.stderr)  # noqa: T201 # this is where a person looks
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
