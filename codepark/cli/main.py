"""The commands and how they end: status 0 only on success, a sentence on standard error otherwise."""

import sys

import cyclopts

app = cyclopts.App(
    name="codepark",
    help="The backend of a collaborative code platform whose event history is the product.",
    version_flags=["--version"],
)
# By name: each command imports what it needs when it is called, and a server starts without the rest.
app.command("codepark.cli.serve:serve", name="serve", help="Serve the API, the pages and the live channels.")
app.command("codepark.cli.serve:token", name="token", help="Print an access token for 24 hours.")
app.command(
    "codepark.cli.import_git:import_git",
    name="import-git",
    help="Import a git repository or a JSONL history as a project.",
)
app.command(
    "codepark.cli.operations:rebuild", name="rebuild", help="Build a read model anew beside the live one."
)
app.command("codepark.cli.worker:worker_app", name="worker", help="Run a worker of the cluster profile.")
app.command("codepark.cli.worker:topics_app", name="topics", help="Make and list the topics of Kafka.")
app.command(
    "codepark.cli.migrations:migrate_app", name="migrate", help="Migrate the database of the read models."
)
app.command("codepark.cli.operations:doctor", name="doctor", help="Examine an installation.")
app.command("codepark.cli.operations:account_app", name="account", help="Change accounts.")
app.command("codepark.cli.keys:keys_app", name="keys", help="Rotate the keys of the installation.")
app.command("codepark.cli.operations:events_app", name="events", help="Read the event history.")
app.command(
    "codepark.cli.operations:dead_letters_app",
    name="dead-letters",
    help="List and retry events that could not be projected.",
)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        from codepark.cli.failures import FAILURES, sentence  # noqa: PLC0415 # only when something went wrong

        if not isinstance(error, FAILURES):
            raise
        print(f"codepark: {sentence(error)}", file=sys.stderr)  # noqa: T201 # this is where a person looks
        sys.exit(1)
