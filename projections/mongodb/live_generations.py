"""What readers know of the live generations, and for how long they may rely on it."""

import threading
import time
from collections.abc import Iterable, Mapping

from msgspec import Struct

from projections.model import Collection, ReadModel
from projections.mongodb.model_registry import ModelEntry, ModelRegistry, collection_name
from projections.mongodb.sessions import CausalSessions

_RELIABLE_SECONDS = 30.0  # half of the time for which a collection stays when it is no longer live


class LiveGenerations(Struct, frozen=True):
    """The live generations at a moment: by model, and the collections that queries read, by name."""

    since: float
    entries: Mapping[str, ModelEntry]
    collections: Mapping[str, Collection]
    names: Mapping[str, str]

    @property
    def reliable(self) -> bool:
        """Return whether every collection named here still exists, even if others are live by now."""
        return time.monotonic() - self.since < _RELIABLE_SECONDS


class LiveGenerationsCache:
    """The live generations as readers share them: loaded again when older than *fresh_seconds*."""

    def __init__(self, registry: ModelRegistry, sessions: CausalSessions, fresh_seconds: float) -> None:
        """Know no models yet."""
        self._registry = registry
        self._sessions = sessions
        self._fresh_seconds = fresh_seconds
        self._models: dict[str, ReadModel] = {}
        self._last = LiveGenerations(float("-inf"), {}, {}, {})
        self._lock = threading.Lock()

    @property
    def models(self) -> list[ReadModel]:
        """Return the models that are shown."""
        return list(self._models.values())

    def show(self, models: Iterable[ReadModel]) -> LiveGenerations:
        """Show *models* from now on."""
        with self._lock:
            self._models = self._models | {model.name: model for model in models}
        return self.load()

    def get(self) -> LiveGenerations:
        """Return the live generations, recent enough for a query."""
        last = self._last
        return last if time.monotonic() - last.since < self._fresh_seconds else self.load()

    def load(self) -> LiveGenerations:
        """Ask the server; documents that are read afterwards include what these checkpoints include."""
        since = time.monotonic()
        with self._sessions.observing() as session:
            entries = self._registry.entries(session)
        live = _live(since, self._models.values(), entries)
        with self._lock:
            if live.since >= self._last.since:
                self._last = live
        return live


def _live(since: float, models: Iterable[ReadModel], entries: Mapping[str, ModelEntry]) -> LiveGenerations:
    known = [(model, entries[model.name]) for model in models if model.name in entries]
    collections = {collection.name: collection for model, _ in known for collection in model.collections}
    names = {
        collection.name: collection_name(collection.name, entry.live)
        for model, entry in known
        for collection in model.collections
    }
    return LiveGenerations(since, {model.name: entry for model, entry in known}, collections, names)
