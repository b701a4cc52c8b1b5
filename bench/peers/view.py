"""Read models of the peer application, fed from its notification log."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

from eventsourcing.persistence import Tracking
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore, SQLiteTrackingRecorder

from bench.peers.projects import Project, Projects

_PAGE = 1000
_CREATED: type[Any] = Project.Created
Row = tuple[str, str, str]


class MemoryView:
    """A view of the projects in memory, in the order of their creation."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._position = 0
        self._moved = threading.Condition()

    def apply(self, event: Any, tracking: Tracking) -> None:
        """Apply one event."""
        if (row := _created(event)) is not None:
            self._rows.append(row)
        with self._moved:
            self._position = tracking.notification_id
            self._moved.notify_all()

    def last(self, limit: int) -> Sequence[Row]:
        """Return the newest projects."""
        return self._rows[: -limit - 1 : -1]

    def wait(self, position: int, seconds: float) -> bool:
        """Return whether the view reaches *position* within *seconds*."""
        with self._moved:
            return self._moved.wait_for(lambda: self._position >= position, seconds)


class SQLiteView(SQLiteTrackingRecorder):
    """A view in a table; as the library does, each event and its tracking record are one transaction."""

    def __init__(self, path: str) -> None:
        super().__init__(SQLiteDatastore(path))
        self.create_table()

    def _create_table(self, c: SQLiteCursor) -> None:
        super()._create_table(c)
        c.execute("CREATE TABLE IF NOT EXISTS projects (id TEXT PRIMARY KEY, name TEXT, visibility TEXT)")

    def apply(self, event: Any, tracking: Tracking) -> None:
        """Apply one event."""
        with self.datastore.transaction(commit=True) as c:
            if (row := _created(event)) is not None:
                c.execute("INSERT INTO projects VALUES (?, ?, ?)", row)
            self._insert_tracking(c, tracking)


def _created(event: Any) -> Row | None:
    """Return the row of a new project; None for any other event."""
    return (str(event.originator_id), event.name, event.visibility) if type(event) is _CREATED else None


def feed(app: Projects, apply: Callable[[Any, Tracking], None], after: int, most: int | None = None) -> int:
    """Apply up to *most* notifications after the position *after*; return the last position."""
    end = None if most is None else after + most
    while True:
        notifications = app.recorder.select_notifications(after + 1, _PAGE, stop=end)
        for notification in notifications:
            apply(app.mapper.to_domain_event(notification), Tracking(app.name, notification.id))
            after = notification.id
        if len(notifications) < _PAGE:
            return after


class Follower:
    """Updates a view in a thread of its own, which wakes after each save."""

    def __init__(self, app: Projects, view: MemoryView) -> None:
        self._app, self._view = app, view
        self._prompted = threading.Event()
        self._stopped = False
        self._position = feed(app, view.apply, 0)
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def prompt(self) -> None:
        """Wake the thread, because there are new events."""
        self._prompted.set()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._prompted.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while self._prompted.wait() and not self._stopped:
            self._prompted.clear()
            with contextlib.suppress(OSError):
                self._position = feed(self._app, self._view.apply, self._position)
