"""The steps of a run; their progress goes to the standard error stream."""

import contextlib
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.book import OURS, Book
from bench.clusters import Servers
from bench.contestants import EVERYONE, SQLITE_PEER, running
from bench.measures.cluster_appends import cluster_appends
from bench.measures.cluster_commands import cluster_commands, cluster_conflict
from bench.measures.cluster_failover import cluster_failover
from bench.measures.cluster_history import cluster_history
from bench.measures.cluster_lag import cluster_lag
from bench.measures.commands import batch, commands
from bench.measures.gateway import gateway
from bench.measures.graphql import graphql
from bench.measures.growth import growth
from bench.measures.importing import importing
from bench.measures.jobs import jobs
from bench.measures.lag import lag
from bench.measures.live import live
from bench.measures.past import past
from bench.measures.queries import queries
from bench.measures.rebuild import rebuild, replay
from bench.measures.recorders import recorders
from bench.measures.signing_in import signing_in
from bench.measures.startup import startup
from bench.measures.telemetry import telemetry
from bench.plan import Plan
from bench.postgres import PostgresMissingError
from bench.report.tables import rows
from bench.session import Session
from devservers.errors import MissingError

_OVER_HTTP: dict[str, Callable[[Session], None]] = {
    "commands": commands,
    "batch": batch,
    "queries": queries,
    "lag": lag,
    "live": live,
    "graphql": graphql,
    "past": past,
    "startup": startup,
}
_CODEPARK_ONLY = ("live", "graphql", "past")
_OF_A_FOLDER: dict[str, Sequence[Callable[..., None]]] = {
    "import": (importing,),
    "rebuild": (rebuild, replay),
    "recorders": (recorders,),
    "gateway": (gateway,),
    "signing-in": (signing_in,),
    "jobs": (jobs,),
    "telemetry": (telemetry,),
}
_OF_A_CLUSTER: dict[str, Callable[..., None]] = {
    "cluster-appends": cluster_appends,
    "cluster-commands": cluster_commands,
    "cluster-conflict": cluster_conflict,
    "cluster-lag": cluster_lag,
    "cluster-failover": cluster_failover,
    "cluster-history": cluster_history,
}
_WIDTH = 140
Step = Callable[[], None]
NAMES = (*_OVER_HTTP, *_OF_A_FOLDER, "growth", *_OF_A_CLUSTER)


class Runner:
    """Run the chosen measures; record one that fails with its reason, and continue with the others."""

    def __init__(self, plan: Plan, folder: Path, names: Sequence[str]) -> None:
        self.book = Book()
        self.failed = False
        self._plan, self._folder, self._names = plan, folder, names
        self._servers = Servers(folder / "servers", self.book)
        self._console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )

    def run(self) -> None:
        """Measure everything; print a table at the end."""
        steps = [*self._contests(), *self._folder_steps(), *self._cluster_steps()]
        with self._progress, contextlib.closing(self._servers):
            task = self._progress.add_task("measuring", total=len(steps))
            for name, step in steps:
                self._progress.update(task, description=name)
                self._attempt(name, step)
                self._progress.advance(task)
        self._console.print(self._table())

    def _contests(self) -> list[tuple[str, Step]]:
        """Return the steps that run a contestant: one for each, and others for growth."""
        chosen = {name: measure for name, measure in _OVER_HTTP.items() if name in self._names}
        for_peers = {name: measure for name, measure in chosen.items() if name not in _CODEPARK_ONLY}
        contests: list[tuple[str, Step]] = [
            (contestant, partial(self._contest, contestant, measures))
            for contestant in EVERYONE
            if (measures := chosen if contestant == OURS else for_peers)
        ]
        if "growth" in self._names:
            contests += [
                (f"growth, {contestant}", partial(self._contest, contestant, {"growth": growth}))
                for contestant in (OURS, SQLITE_PEER)
            ]
        return contests

    def _contest(self, contestant: str, measures: dict[str, Callable[[Session], None]]) -> None:
        with running(contestant, self._new_folder(), self.book, self._plan, self._say) as session:
            for name, measure in measures.items():
                self._attempt(f"{name}, {contestant}", partial(measure, session))

    def _folder_steps(self) -> list[tuple[str, Step]]:
        return [
            (name, partial(self._in_folder, measure))
            for name, measures in _OF_A_FOLDER.items()
            if name in self._names
            for measure in measures
        ]

    def _in_folder(self, measure: Callable[..., None]) -> None:
        measure(self._new_folder(), self.book, self._plan, self._say)

    def _cluster_steps(self) -> list[tuple[str, Step]]:
        return [
            (name, partial(self._in_cluster, measure))
            for name, measure in _OF_A_CLUSTER.items()
            if name in self._names
        ]

    def _in_cluster(self, measure: Callable[..., None]) -> None:
        measure(self._servers, self._new_folder(), self.book, self._plan, self._say)

    def _new_folder(self) -> Path:
        folder = self._folder / str(len(list(self._folder.iterdir())))
        folder.mkdir()
        return folder

    def _attempt(self, name: str, step: Step) -> None:
        try:
            step()
        except (PostgresMissingError, MissingError) as error:
            self.book.leave_out(name, str(error))
            self._say(f"{name} left out: {error}")
        except Exception as error:  # noqa: BLE001 # a measure that fails must not end the others
            self.failed = True
            self.book.leave_out(name, f"{type(error).__name__}: {error}")
            self._say(f"{name} FAILED\n{traceback.format_exc(limit=-3)}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False)

    def _table(self) -> Table:
        table = Table("measure", "CodePark", "peer", "ratio")
        for row in rows({name: entry.document() for name, entry in self.book.entries.items()}):
            table.add_row(*row)
        return table
