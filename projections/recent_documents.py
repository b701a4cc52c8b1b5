"""The documents written last, so that a change to one of them need not read it."""

from projections.fold import Stored

_LARGEST = 32 * 1024
_OVERHEAD = 256  # a tombstone takes room too


class Recent:
    """Keep what was written last, up to a size in bytes of JSON."""

    def __init__(self, budget: int) -> None:
        """Keep up to *budget* bytes."""
        self._budget = budget
        self._size = 0
        self._entries: dict[str, tuple[Stored, int]] = {}

    def get(self, id: str) -> Stored | None:  # noqa: A002 # the field's name
        """Return what was written last for *id*, if it is kept."""
        found = self._entries.get(id)
        return None if found is None else found[0]

    def put(self, id: str, stored: Stored, size: int) -> None:  # noqa: A002 # the field's name
        """Keep *stored*, which is *size* bytes long, unless it is large."""
        self.drop(id)
        if size > _LARGEST:
            return
        self._entries[id] = (stored, size + _OVERHEAD)
        self._size += size + _OVERHEAD
        while self._size > self._budget:
            self._size -= self._entries.pop(next(iter(self._entries)))[1]

    def drop(self, id: str) -> None:  # noqa: A002 # the field's name
        """Forget *id*."""
        old = self._entries.pop(id, None)
        if old is not None:
            self._size -= old[1]
