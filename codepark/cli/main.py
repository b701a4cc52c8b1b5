"""The commands, and how they end: status 0 only on success, else a sentence on standard error."""

import sys
from collections.abc import Sequence

import cyclopts

from codepark.private_files import for_owner_only

FAILURE, USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
"""How a command ends without success; arguments that it cannot read, or cannot use, are wrong usage."""

_COMMANDS = {
    "serve": ("serve:serve", "Serve the API, the pages and the live channels."),
    "token": ("serve:token", "Print an access token for 24 hours."),
    "import-git": ("import_git:import_git", "Import a git repository or a JSONL history as a project."),
    "rebuild": ("operations:rebuild", "Build a read model again next to the live one."),
    "worker": ("worker:worker_app", "Run a worker of the cluster profile."),
    "jobs": ("jobs:jobs_app", "Look at background jobs, retry and cancel them."),
    "topics": ("worker:topics_app", "Make and list the topics of Kafka."),
    "migrate": ("migrations:migrate_app", "Migrate the database of the read models."),
    "doctor": ("operations:doctor", "Examine an installation."),
    "account": ("operations:account_app", "Change accounts."),
    "log-level": ("operations:log_level", "Let the server that runs log more, or less."),
    "keys": ("keys:keys_app", "Rotate the keys of the installation."),
    "events": ("events:events_app", "Read the event history."),
    "dead-letters": ("operations:dead_letters_app", "List and retry events that could not be projected."),
    "--install-completion": (
        "completion:install_completion",
        "Install the completion of commands in a shell.",
    ),
    "--show-completion": (
        "completion:show_completion",
        "Print the script that completes commands in a shell.",
    ),
}

app = cyclopts.App(
    name="codepark",
    help="The backend of a collaborative code platform whose event history is the product.",
    version_flags=["--version"],
    exit_on_error=False,
    print_error=False,
)
# By name: each command imports what it needs when it is called, and a server starts without the rest.
for _name, (_function, _help) in _COMMANDS.items():
    app.command(f"codepark.cli.{_function}", name=_name, help=_help)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line with *arguments*, by default those of the process."""
    for_owner_only()
    try:
        app(arguments)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(PIPE_CLOSED)
    except Exception as error:  # noqa: BLE001 # the last resort: a person reads a sentence, not a traceback
        from codepark.cli.failures import explain  # noqa: PLC0415 # only when something went wrong

        explanation, status = explain(error)
        print(f"codepark: {explanation}", file=sys.stderr)  # noqa: T201 # this is where a person looks
        sys.exit(status)
