"""The embedded profile: every part in one process over one data directory."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from codepark.data_directory import DataDirectory
from codepark.past_queries import past_of
from codepark.settings import Settings
from codepark.wal_checkpointer import Checkpointer
from commands.bus import CommandBus
from commands.intake.intake import Intake
from commands.keys import PersonalCipher
from commands.kms import new_master_key, read_master_keys, write_master_keys
from commands.mapper import EventMapper
from commands.partitions import Logs
from commands.sqlite.keys import SQLiteKeyStore
from commands.sqlite.log import SQLiteEventLog
from domain.file.events import FileDeleted, FileWritten
from domain.identifiers import ACCOUNTS_HOME
from domain.record import Record
from insights.analyser import ProcessAnalyser
from projections.insights_model import INSIGHTS, insights_model
from projections.model import ReadModel
from projections.models import READ_MODELS
from projections.progress import Progress
from projections.sqlite.store import SQLiteDocumentStore
from read_api.query_services import Queries, queries_over
from streams.dead_letters import retry
from streams.rebuild import rebuild
from streams.runner import Runner

_LOOK_SECONDS = 0.05
_FILE_TOPICS = frozenset({FileWritten.TOPIC, FileDeleted.TOPIC})


class Embedded:
    """The parts of the embedded profile, opened in order and closed in reverse."""

    def __init__(self, settings: Settings) -> None:
        """Hold the data directory and open what is in it.

        Raises DataDirectoryError, LogUnavailableError, LogCorruptError, StoreUnavailableError.
        """
        self.settings = settings
        self.directory = DataDirectory(settings.data).hold()
        try:
            self.secrets = settings.secret or self.directory.secrets()
            self.kms = (
                settings.kms(self.secrets) if settings.master_keys else self.directory.kms(self.secrets)
            )
            self.keys = SQLiteKeyStore(self.directory.keys, self.kms)
            self.log = SQLiteEventLog(self.directory.log, EventMapper(PersonalCipher(self.keys)))
            self.logs = Logs([self.log])
            self.store = SQLiteDocumentStore(self.directory.read_models)
            self.analyser = ProcessAnalyser()
            self.models = (*READ_MODELS, insights_model(self.analyser))
            self.store.prepare(self.models)
        except BaseException:
            self.directory.release()
            raise
        self.intake = Intake(self.secrets, self.log)
        self.progress = Progress()
        self.queries: Queries = queries_over(self.store)
        self.runners = (
            Runner(
                self.log,
                self.store,
                READ_MODELS,
                self.progress,
                decoded=self._note_files,
                touched=self._touched,
                inline=True,
            ),
            Runner(self.log, self.store, self.models[-1:], self.progress, touched=self._touched),
        )
        self.bus = CommandBus(self.log)
        self.past = partial(past_of, self.logs, self.store, self.models)
        self.checkpointer = Checkpointer([self.directory.log, self.directory.read_models])
        self.start_sequence = self.log.tip().sequence

    changed_resource = None
    node_listener = None
    remote = False

    @property
    def main_models(self) -> tuple[str, ...]:
        """Return the names of the models that every query waits for."""
        return tuple(model.name for model in READ_MODELS)

    def start(self) -> None:
        """Start the runners."""
        self.progress.assume_touched(INSIGHTS, self.log.tip().sequence)
        for runner in self.runners:
            runner.start()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Do nothing: who has been opened is ready."""

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do nothing: what waits here waits for the progress alone."""

    async def end_in_loop(self) -> None:
        """Do nothing: nothing belongs to the loop."""

    def behind(self) -> list[str]:
        """Name the models that have not reached the end of the log that was found at the start."""
        reached = self.progress.models()
        return [m.name for m in self.models if reached.get(m.name, 0) < self.start_sequence]

    def catch_up(self, advanced: Callable[[int, int], None], seconds: float = 120.0) -> None:
        """Wait until every model includes the log's present end, for up to *seconds*; *advanced* gets how far."""
        target, deadline, pause = self.log.tip().sequence, time.monotonic() + seconds, threading.Event()
        done = min(self.progress.models().values())
        while done < target and time.monotonic() < deadline:
            advanced(done, target)
            pause.wait(_LOOK_SECONDS)
            done = min(self.progress.models().values())
        advanced(done, target)

    def rebuild(self, model: ReadModel, progress: Callable[[int, int], None] | None) -> int:
        """Rebuild *model* beside the live one and switch to it."""
        runner = next(runner for runner in self.runners if model in runner.models)
        return rebuild(self.log, self.store, model, runner, progress=progress)

    def retry_dead_letters(self) -> dict[str, int]:
        """Retry every dead letter in the order of its stream."""
        return dict(retry(self.log, self.store, self.runners))

    def scrub(self) -> None:
        """Overwrite what was deleted: the writer zeroes it, and the journal that still has it is emptied."""
        self.store.scrub()

    def forget_answers(self) -> None:
        """Forget every composed answer."""
        self.queries.projects.touch(None)

    def rotate_master_key(self) -> dict[str, int]:
        """Make a new master key, wrap the keys of people anew with it, and destroy the ones before it.

        The new one is in its file before anything is wrapped with it, and an old one until nothing is any more.
        """
        if self.settings.master_keys:  # the operator's own file: the newest of its lines
            return {"version": self.kms.version, "wrapped": self.keys.rewrap()}
        file, version = self.directory.master_keys, self.kms.version + 1
        later = read_master_keys(file) if file.exists() else {}
        key = new_master_key()
        write_master_keys(file, {**later, version: key})
        self.kms.add(version, key)
        wrapped = self.keys.rewrap()
        wrapped += self.keys.rewrap()  # what was under way when the new one came
        write_master_keys(file, {version: key})
        for old in later:
            self.kms.remove(old)
        return {"version": version, "wrapped": wrapped}

    def close(self) -> None:
        """Answer what waits, stop, and let the directory go."""
        self.bus.close()
        for runner in self.runners:
            runner.stop()
        self.analyser.close()  # interrupts a measurement; its events are projected at the next start
        for runner in self.runners:
            runner.close()
        self.checkpointer.close()
        self.log.close()
        self.store.close()
        self.keys.close()
        self.directory.release()

    def _note_files(self, records: Sequence[Record]) -> None:
        """Tell whose insights have work to do, before any query can see these records."""
        self.progress.touch(
            INSIGHTS, ((record.home, record.sequence) for record in records if record.topic in _FILE_TOPICS)
        )

    def _touched(self, homes: set[str] | None) -> None:
        """Forget composed answers; a change of accounts may change names anywhere."""
        self.queries.projects.touch(None if homes is None or ACCOUNTS_HOME in homes else homes)
