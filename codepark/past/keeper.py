"""Keep the index of the past up to date in the background: what grew, once it is quiet; what was deleted."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from codepark.past.indexer import TOPICS, Indexer
from commands.log import LogUnavailableError
from commands.partitions import Logs
from domain.identifiers import project_stream
from domain.project.events import ProjectDeleted
from domain.record import Record
from projections.store import StoreUnavailableError
from read_api.past_answers import Work, WorkEndedError

_GROWN = 500
_QUIET_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_COUNTED = 10_000

logger = structlog.get_logger(__name__)


class _QuietWork(Work):
    """Work that stops where something is appended: a command does not share the processor with it."""

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        super().__init__()
        self._is_quiet = is_quiet

    def step(self) -> None:
        """Raise WorkEndedError once the keeper has ended, or where it is not quiet."""
        super().step()
        if not self._is_quiet():
            raise WorkEndedError("something was appended")


class Keeper:
    """A thread that indexes projects with many new events, and forgets deleted ones.

    A question would read what the index lacks itself. The thread saves it that wait, and works only while
    nothing has been appended for a second.
    """

    def __init__(
        self, logs: Logs[Any], indexer: Indexer, *, grown: int = _GROWN, quiet_seconds: float = _QUIET_SECONDS
    ) -> None:
        """Start the thread; a project is indexed after *grown* new events of it."""
        self._logs = logs
        self._indexer = indexer
        self._grown = grown
        self._quiet_seconds = quiet_seconds
        self._counts: Counter[str] = Counter()
        self._projects: deque[str] = deque()
        self._deleted: deque[str] = deque()
        self._last_append = 0.0
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self._work = _QuietWork(self._is_quiet)
        self._thread = threading.Thread(target=self._run, name="past", daemon=True)
        for log in logs:
            log.on_append(self._appended, frozenset({ProjectDeleted.TOPIC, *TOPICS}))
        self._thread.start()

    def close(self) -> None:
        """End the thread after its present step."""
        self._work.end()
        self._ended.set()
        self._wanted.set()
        self._thread.join()

    def _appended(self, records: Sequence[Record]) -> None:
        """Count what was appended; called from the thread that appends."""
        self._last_append = time.monotonic()
        for record in records:
            if record.topic == ProjectDeleted.TOPIC:
                self._deleted.append(record.home)
                self._wanted.set()
            elif record.topic in TOPICS:
                self._counts[record.home] += 1
                if self._counts[record.home] >= self._grown:
                    del self._counts[record.home]
                    self._projects.append(record.home)
                    self._wanted.set()
        if len(self._counts) > _COUNTED:  # the questions about these will read a few events more
            self._counts.clear()

    def _is_quiet(self) -> bool:
        return time.monotonic() - self._last_append >= self._quiet_seconds

    def _run(self) -> None:
        self._find_deleted()
        while not self._ended.is_set():
            self._wanted.wait()
            self._wanted.clear()
            self._forget_deleted()
            while self._projects and not self._ended.is_set():
                if self._is_quiet():
                    self._index(self._projects.popleft())
                else:
                    self._ended.wait(_LOOK_SECONDS)
                self._forget_deleted()

    def _index(self, project_id: str) -> None:
        log = self._logs.of(project_id)
        try:
            self._indexer.bring(project_id, log.tip().sequence, self._work)
        except WorkEndedError:  # what was added stays, the rest follows
            self._projects.appendleft(project_id)
        except (LogUnavailableError, StoreUnavailableError) as error:  # the next question does it
            logger.warning("the past of a project is not indexed yet", reason=str(error))

    def _forget_deleted(self) -> None:
        while self._deleted:
            try:
                self._indexer.index.forget(self._deleted.popleft())
            except StoreUnavailableError as error:  # the next start does it
                logger.warning("the past of a deleted project is not forgotten yet", reason=str(error))

    def _find_deleted(self) -> None:
        """Find the projects in the index that were deleted shortly before the process ended."""
        try:
            known = self._indexer.index.project_ids()
            self._deleted += [project_id for project_id in known if self._is_deleted(project_id)]
        except (LogUnavailableError, StoreUnavailableError):  # the log has not been read yet
            return
        self._forget_deleted()

    def _is_deleted(self, project_id: str) -> bool:
        last = self._logs.of(project_id).last_event(project_stream(project_id))
        return last is not None and isinstance(last.event, ProjectDeleted)
