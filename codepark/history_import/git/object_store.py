"""All objects of a repository: loose, packed, borrowed from other repositories, and replaced."""

import shlex
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from codepark.history_import.git.errors import DamagedObjectError, LargeObjectError, MissingObjectError
from codepark.history_import.git.loose import LooseObjects
from codepark.history_import.git.pack import Entry, Pack, applied

LARGEST: Final = 24 * 1024 * 1024
"""Commits, trees, and what a file is stored as a difference to, are not read beyond this size."""

_CACHED: Final = 12 * 1024 * 1024
_BORROWED: Final = 5
"""How many repositories may borrow from each other, one after the other; git has the same limit."""

_REPLACED: Final = 5
"""How often an object may be replaced; git has the same limit."""

Object = tuple[str, bytes]


class ObjectStore:
    """Reads objects by their ids, in bounded memory."""

    def __init__(self, directory: Path, oid_size: int, replaced: Mapping[bytes, bytes]) -> None:
        """Read from an `objects` directory; *replaced* are the ids that `git replace` exchanged."""
        self._directories = list(_directories(directory))
        self._loose = [LooseObjects(path) for path in self._directories]
        self._oid_size = oid_size
        self._replaced = replaced
        self._packs: dict[Path, Pack] | None = None
        self._damaged: DamagedObjectError | None = None
        self._cache = _Cache()

    def close(self) -> None:
        """Close the packs."""
        for pack in (self._packs or {}).values():
            pack.close()
        self._packs = None

    def read(self, oid: bytes, limit: int = LARGEST) -> Object:
        """Return the kind and the data of an object of at most *limit* bytes; raises ObjectFaultError."""
        return self._stored(self._replacing(oid) if oid in self._replaced else oid, limit)

    def _replacing(self, oid: bytes) -> bytes:
        """Return the id of the object that replaces another one, after all replacements of replacements."""
        for _ in range(_REPLACED):
            if oid not in self._replaced:
                return oid
            oid = self._replaced[oid]
        raise DamagedObjectError("an object is replaced too often")

    def _stored(self, oid: bytes, limit: int) -> Object:
        place = self._place(oid)
        if place is None:
            for loose in self._loose:
                stored = loose.read(oid, limit)
                if stored is not None:
                    return stored
            place = self._place(oid, again=True)
        if place is None:
            raise self._damaged or MissingObjectError(oid)
        pack, offset = place
        if limit < LARGEST and pack.size(pack.entry(offset)) > limit:
            raise LargeObjectError("an object is too large")
        return self._packed(pack, offset)

    def _place(self, oid: bytes, *, again: bool = False) -> tuple[Pack, int] | None:
        """Return where the object is packed; *again* looks for packs that are new."""
        if self._packs is None or again:
            self._open_packs()
        for pack in (self._packs or {}).values():
            offset = pack.find(oid)
            if offset is not None:
                return pack, offset
        return None

    def _open_packs(self) -> None:
        packs = self._packs = self._packs or {}
        for directory in self._directories:
            for index in sorted((directory / "pack").glob("*.idx")):
                if index not in packs:
                    self._open_pack(packs, index)

    def _open_pack(self, packs: dict[Path, Pack], index: Path) -> None:
        """Open a pack; note that it is damaged, which matters only where an object is missing then."""
        try:
            packs[index] = Pack(index, self._oid_size)
        except FileNotFoundError:
            return  # git has just replaced this pack by another
        except DamagedObjectError as error:
            self._damaged = error

    def _packed(self, pack: Pack, offset: int) -> Object:
        """Read along the chain of differences to an object that is whole, then apply them."""
        chain: dict[int, Entry] = {}
        whole, at = self._whole(pack, offset, chain)
        while whole is None:
            if at in chain:
                raise DamagedObjectError("objects of a pack differ from each other in a circle")
            whole, at = self._whole(pack, at, chain)
        for at, entry in reversed(chain.items()):
            whole = whole[0], applied(whole[1], pack.data(entry, LARGEST), LARGEST)
            self._cache.add((id(pack), at), whole)
        return whole

    def _whole(self, pack: Pack, offset: int, chain: dict[int, Entry]) -> tuple[Object | None, int]:
        """Return the object at *offset*, or where the one is that it differs from; add it to *chain* then."""
        stored = self._cache.get((id(pack), offset))
        if stored is not None:
            return stored, offset
        entry = pack.entry(offset)
        if entry.kind is not None:
            stored = entry.kind, pack.data(entry, LARGEST)
            self._cache.add((id(pack), offset), stored)
            return stored, offset
        chain[offset] = entry
        if isinstance(entry.base, int):
            return None, entry.base
        base = pack.find(entry.base or b"")
        return (self._stored(entry.base or b"", LARGEST), offset) if base is None else (None, base)


class _Cache:
    """The objects read last: the next ones differ from them."""

    def __init__(self) -> None:
        self._objects: OrderedDict[tuple[int, int], Object] = OrderedDict()
        self._size = 0

    def get(self, key: tuple[int, int]) -> Object | None:
        stored = self._objects.get(key)
        if stored is not None:
            self._objects.move_to_end(key)
        return stored

    def add(self, key: tuple[int, int], stored: Object) -> None:
        if len(stored[1]) > _CACHED // 4 or key in self._objects:
            return
        self._objects[key] = stored
        self._size += len(stored[1])
        while self._size > _CACHED:
            _, (_, data) = self._objects.popitem(last=False)
            self._size -= len(data)


def _directories(first: Path) -> Iterator[Path]:
    """Yield *first* and the directories that it borrows objects from."""
    seen, level = {first.resolve()}, [first]
    for _ in range(_BORROWED + 1):
        yield from level
        following = [path for directory in level for path in _alternates(directory)]
        level = [path for path in following if not (path in seen or seen.add(path))]  # type: ignore[func-returns-value] # adds


def _alternates(directory: Path) -> Iterable[Path]:
    try:
        lines = (directory / "info" / "alternates").read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return
    for line in lines:
        name = _unquoted(line.decode("utf-8", "surrogateescape"))
        if name and not name.startswith("#"):
            yield (directory / name).resolve()


def _unquoted(line: str) -> str:
    if not line.startswith('"'):
        return line
    with suppress(ValueError):
        return "".join(shlex.split(line))
    return line
