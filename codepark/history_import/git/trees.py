"""Trees: their entries, their files, and what differs between two."""

import stat
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from codepark.history_import.git.errors import DamagedObjectError
from codepark.history_import.git.object_store import ObjectStore
from domain.limits import PATH_LENGTH

MOST_CHANGES: Final = 1_000_000
_SUBMODULE: Final = 0o160000
_CACHED_ENTRIES: Final = 100_000
_LONGEST: Final = 4 * PATH_LENGTH
"""A directory whose path has more bytes has no file that the contract accepts: it is not descended into."""

_EMPTY: Final = frozenset(
    {
        bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),  # SHA-1
        bytes.fromhex("6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),  # SHA-256
    }
)
"""The trees without entries: git knows them without storing them."""


class TreeEntry(NamedTuple):
    """A file, symbolic link, submodule or directory in a tree."""

    mode: int
    oid: bytes

    @property
    def is_directory(self) -> bool:
        """Return whether the entry is another tree."""
        return stat.S_IFMT(self.mode) == stat.S_IFDIR

    @property
    def is_submodule(self) -> bool:
        """Return whether the entry is a commit of another repository."""
        return stat.S_IFMT(self.mode) == _SUBMODULE


Entries = dict[bytes, TreeEntry]
Difference = dict[bytes, tuple[TreeEntry | None, TreeEntry | None]]
"""By path: the entry before and after, None where there is none."""

_NOTHING: Final[Entries] = {}


class Trees:
    """Reads trees, and remembers the last ones: trees that follow each other share most of their parts."""

    def __init__(self, store: ObjectStore, oid_size: int) -> None:
        """Read from *store*."""
        self._store = store
        self._oid_size = oid_size
        self._read: OrderedDict[bytes, Entries] = OrderedDict()
        self._count = 0

    def entries(self, oid: bytes | None) -> Entries:
        """Return the entries of a tree, none for None; raises ObjectFaultError."""
        if oid is None or oid in _EMPTY:
            return _NOTHING
        entries = self._read.get(oid)
        if entries is not None:
            self._read.move_to_end(oid)
            return entries
        kind, data = self._store.read(oid)
        if kind != "tree":
            raise DamagedObjectError(f"{oid.hex()} is a {kind}, not a tree")
        entries = self._read[oid] = parse_tree(data, self._oid_size)
        self._count += len(entries)
        while self._count > _CACHED_ENTRIES and len(self._read) > 1:
            self._count -= len(self._read.popitem(last=False)[1])
        return entries

    def difference(self, before: bytes | None, after: bytes | None) -> Difference:
        """Return what differs between the files of two trees; raises ObjectFaultError."""
        changed: Difference = {}
        pairs: list[tuple[bytes, bytes | None, bytes | None]] = [(b"", before, after)]
        while pairs:
            prefix, old_oid, new_oid = pairs.pop()
            if old_oid == new_oid:
                continue
            old, new = self.entries(old_oid), self.entries(new_oid)
            names = {name for name, _ in old.items() ^ new.items()}
            for name in names:
                path, was, now = prefix + name, old.get(name), new.get(name)
                if _is_read(path, was or now):
                    pairs.append((path, was and was.oid, now and now.oid))
                else:
                    changed[path] = was, now
            if len(changed) > MOST_CHANGES:
                raise DamagedObjectError(f"it changes more than {MOST_CHANGES} files")
        return changed

    def files(self, tree: bytes) -> Iterator[tuple[bytes, TreeEntry]]:
        """Yield the files of a tree with their paths; raises ObjectFaultError."""
        trees: list[tuple[bytes, bytes]] = [(b"", tree)]
        while trees:
            prefix, oid = trees.pop()
            for name, entry in self.entries(oid).items():
                path = prefix + name
                if _is_read(path, entry):
                    trees.append((path, entry.oid))
                else:
                    yield path, entry

    def entry(self, tree: bytes | None, path: bytes) -> TreeEntry | None:
        """Return the file at *path* of a tree, None where there is none."""
        *directories, name = path.split(b"/")
        for directory in directories:
            entry = self.entries(tree).get(directory + b"/")
            if entry is None or not entry.is_directory:
                return None
            tree = entry.oid
        entry = self.entries(tree).get(name)
        return None if entry is None or entry.is_directory else entry


def _is_read(path: bytes, entry: TreeEntry | None) -> bool:
    """Return whether the entry at *path* is a directory, and its files are read."""
    return entry is not None and entry.is_directory and len(path) <= _LONGEST


def parse_tree(data: bytes, oid_size: int) -> Entries:
    """Read the entries of a tree; raises DamagedObjectError.

    The names of directories end in `/`: old tools wrote a file and a directory with one name, and git lists
    both. Of two files with one name, or two directories, the last one counts.
    """
    entries: Entries = {}
    at, end = 0, len(data)
    try:
        while at < end:
            blank = data.index(b" ", at)
            zero = data.index(b"\0", blank)
            mode = int(data[at:blank], 8)
            at = zero + 1 + oid_size
            if at > end:
                raise DamagedObjectError("a tree ends within an entry")
            entry = TreeEntry(mode, data[zero + 1 : at])
            entries[data[blank + 1 : zero] + (b"/" if entry.is_directory else b"")] = entry
    except ValueError as error:
        raise DamagedObjectError("a tree has a malformed entry") from error
    return entries
