"""When to ask the store for work that models have put off: where some is known, and else now and then."""

import math
import time
from collections.abc import Sequence
from typing import Final

from projections.model import CatchUp, ReadModel
from projections.store import DocumentStore

LOOK_SECONDS: Final = 10.0
"""After so long the store is asked where no work is known: another process may have put it off.

Such is a rebuild, whose generation becomes that of this process, or a worker that had the partition before.
"""


class PutOffWork:
    """The work that *models* have put off in one partition of the log."""

    def __init__(self, models: Sequence[ReadModel], partition: int = 0) -> None:
        """Know of nothing yet; the first question to the store is due."""
        self._models = [model for model in models if model.catch_up is not None]
        self._partition = partition
        self._looked_at = -math.inf
        self.waiting = False

    @property
    def possible(self) -> bool:
        """Return whether a model puts work off at all."""
        return bool(self._models)

    def due(self) -> bool:
        """Return whether there may be work."""
        if not self._models:
            return False
        known = self.waiting or any(
            model.has_put_off is not None and model.has_put_off(self._partition) for model in self._models
        )
        return known or time.monotonic() - self._looked_at >= LOOK_SECONDS

    def begin(self) -> Sequence[ReadModel]:
        """Begin a turn; return the models whose `take` is then called, one after the other."""
        self._looked_at, self.waiting = time.monotonic(), False
        return self._models

    def take(self, model: ReadModel, store: DocumentStore) -> CatchUp:
        """Return what one turn of *model* writes; raises StoreUnavailableError."""
        assert model.catch_up is not None  # noqa: S101 # `begin` returned it
        turn = model.catch_up(store, self._partition)
        self.waiting |= turn.waiting
        return turn
