"""`codepark import-git`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from codepark import logs
from codepark.cli.failures import CommandError
from codepark.cli.options import Data, Json
from codepark.cli.results import show
from codepark.data_directory import DirectoryHeldError
from codepark.history_import.histories import open_history
from codepark.history_import.run import Imported, import_history
from codepark.history_import.server_sink import ServerSink
from codepark.history_import.sinks import LocalSink, Sink
from codepark.history_import.source import HistorySource
from codepark.profiles.maintenance import Advanced
from codepark.profiles.opener import open_profile
from codepark.settings import Settings, read_settings
from domain.actor import SERVICE

CatchUp = Callable[[Advanced], None]


def import_git(
    path: Path,
    *,
    project: str | None = None,
    public: bool = False,
    all_parents: bool = False,
    force: bool = False,
    data: Data = None,
    server: str | None = None,
    token: str | None = None,
    as_json: Json = False,
) -> None:
    """Import a git repository, or a history in the JSONL form, as the commits of a project.

    The project is found again by its owner and its name: a second run adds what is new, and after an
    interruption it continues where it was. Afterwards the project has the files of the history, or the import
    is refused and says why.

    Parameters
    ----------
    path
        A git repository, or a `.jsonl`, `.jsonl.gz` or `.jsonl.xz` file.
    project
        The project's name (default: that of the repository).
    public
        Let everybody see the project.
    all_parents
        Import merged branches commit by commit, not the first-parent line alone.
    force
        Where the history has changed since the last import, or somebody else has written to the project:
        record the difference to the files of the history as one commit.
    server
        Send the commands to this server instead of opening the data directory.
    token
        The access token for the server.
    as_json
        End with one line of JSON: projectId, commits, files, position.
    """
    settings = read_settings(os.environ, data=data)
    logs.configure(settings.log_level)
    source = open_history(path, all_parents=all_parents)
    name = (project or source.name).strip()
    wanted = _Wanted(name=name, chosen=project is not None, public=public, force=force)
    try:
        imported = _import(source, settings, server, token, wanted)
    finally:
        source.close()
    line = f"{imported.commits} commits, {imported.files} files, project {imported.project_id}"
    if imported.skipped:
        line = f"{line}; {imported.skipped} paths skipped"
    show(imported, line, as_json=as_json)


class _Wanted(Struct, frozen=True):
    """What to import into, and how."""

    name: str
    chosen: bool
    public: bool
    force: bool


def _import(
    source: HistorySource, settings: Settings, server: str | None, token: str | None, wanted: _Wanted
) -> Imported:
    if server is not None:
        if token is None:
            raise CommandError("--server needs --token: make one with `codepark token`")
        return _with_bar(source, ServerSink(server, token), wanted)
    try:
        profile = open_profile(settings)
    except DirectoryHeldError as error:
        raise CommandError(
            f"{error}; or import through its server with --server URL --token TOKEN"
        ) from error
    try:
        profile.start_for_commands()
        return _with_bar(source, LocalSink(profile, SERVICE), wanted, profile.catch_up)
    finally:
        profile.close()


def _with_bar(
    source: HistorySource, sink: Sink, wanted: _Wanted, catch_up: CatchUp | None = None
) -> Imported:
    """Import with a progress bar; *catch_up* then waits until the read models include the import."""
    description = TextColumn("{task.description}", markup=False)  # a project may have brackets in its name
    columns = (description, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        try:
            task = bar.add_task(f"Importing {wanted.name}", total=len(source.outline()))
            imported = import_history(
                source,
                sink,
                wanted.name,
                public=wanted.public,
                chosen=wanted.chosen,
                force=wanted.force,
                advanced=lambda count: bar.advance(task, count),
            )
            if catch_up is not None:
                projecting = bar.add_task("Projecting", total=None)
                catch_up(lambda done, total: bar.update(projecting, completed=done, total=total))
            return imported
        finally:
            sink.close()
