"""The documents that were written last, in memory: a change to one of them need not read it."""

from collections import OrderedDict

from projections.fold import StoredDocument

_LARGEST = 32 * 1024
_OVERHEAD = 256  # what an entry takes besides its JSON, also for a tombstone


class RecentDocuments:
    """Keep the documents that were written last, up to a size in bytes of JSON."""

    def __init__(self, budget: int) -> None:
        """Keep up to *budget* bytes."""
        self._budget = budget
        self._size = 0
        self._entries: OrderedDict[str, tuple[StoredDocument, int]] = OrderedDict()

    def get(self, id: str) -> StoredDocument | None:  # noqa: A002 # the field's name
        """Return what was written last to the document *id*, None where that is not kept."""
        entry = self._entries.get(id)
        return None if entry is None else entry[0]

    def put(self, id: str, stored: StoredDocument, size: int) -> None:  # noqa: A002 # the field's name
        """Keep *stored*, whose JSON has *size* bytes, unless that is large."""
        old = self._entries.pop(id, None)
        if old is not None:
            self._size -= old[1]
        if size > _LARGEST:
            return
        self._entries[id] = (stored, size + _OVERHEAD)
        self._size += size + _OVERHEAD
        while self._size > self._budget:
            _, (_, oldest) = self._entries.popitem(last=False)
            self._size -= oldest

    def drop(self, id: str) -> None:  # noqa: A002 # the field's name
        """Forget the document *id*."""
        old = self._entries.pop(id, None)
        if old is not None:
            self._size -= old[1]
