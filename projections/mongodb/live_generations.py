"""What readers know of live generations, and for how long they may rely on it."""

import threading
import time
from collections.abc import Iterable, Mapping

from msgspec import Struct

from projections.model import Collection, ReadModel
from projections.mongodb.model_registry import Catalog, Live, collection_name
from projections.mongodb.sessions import Sessions

_RELIABLE_SECONDS = 30.0  # half of the time for which a collection stays when it is no longer live


class View(Struct, frozen=True):
    """The live generations as they were at a moment."""

    since: float
    live: Mapping[str, Live]
    collections: Mapping[str, Collection]
    names: Mapping[str, str]

    @property
    def reliable(self) -> bool:
        """Tell whether every collection named here is still there, even where others are live by now."""
        return time.monotonic() - self.since < _RELIABLE_SECONDS


class Views:
    """The view that readers share: it is loaded again when it is older than *fresh_seconds*."""

    def __init__(self, catalog: Catalog, sessions: Sessions, fresh_seconds: float) -> None:
        """Know no models yet."""
        self._catalog = catalog
        self._sessions = sessions
        self._fresh_seconds = fresh_seconds
        self._models: dict[str, ReadModel] = {}
        self._last = View(float("-inf"), {}, {}, {})
        self._lock = threading.Lock()

    @property
    def models(self) -> list[ReadModel]:
        """Return the models that are shown."""
        return list(self._models.values())

    def show(self, models: Iterable[ReadModel]) -> View:
        """Show *models* from now on."""
        with self._lock:
            self._models = self._models | {model.name: model for model in models}
        return self.load()

    def get(self) -> View:
        """Return a view that is fresh enough for a query."""
        last = self._last
        return last if time.monotonic() - last.since < self._fresh_seconds else self.load()

    def load(self) -> View:
        """Ask the server; whoever reads documents afterwards sees what these checkpoints include."""
        since = time.monotonic()
        with self._sessions.seeing() as session:
            live = self._catalog.live(session)
        view = _view(since, self._models.values(), live)
        with self._lock:
            if view.since >= self._last.since:
                self._last = view
        return view


def _view(since: float, models: Iterable[ReadModel], live: Mapping[str, Live]) -> View:
    known = [(model, live[model.name]) for model in models if model.name in live]
    collections = {collection.name: collection for model, _ in known for collection in model.collections}
    names = {
        collection.name: collection_name(collection.name, current.build)
        for model, current in known
        for collection in model.collections
    }
    return View(since, {model.name: current for model, current in known}, collections, names)
