"""A history in a git repository on this machine, read without the git program."""

import stat
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from codepark.history_import.git.commit import GitCommit, parse_commit
from codepark.history_import.git.errors import LargeObjectError, MissingObjectError, ObjectFaultError
from codepark.history_import.git.layout import Layout, LayoutError, layout_of
from codepark.history_import.git.line import Line
from codepark.history_import.git.object_store import ObjectStore
from codepark.history_import.git.paths import path_text
from codepark.history_import.git.refs import Refs
from codepark.history_import.git.text import author_time, decoded, identity
from codepark.history_import.git.trees import Difference, TreeEntry, Trees
from codepark.history_import.git.walk import files_are_whole, walk
from codepark.history_import.source import (
    ACCEPTED,
    BEGINNING,
    CommitName,
    Continuation,
    FileMark,
    HistoryError,
    SourceChange,
    SourceCommit,
    Status,
    in_order,
    mark_of,
    project_name,
    text_of,
)
from domain.limits import FILE_SIZE, PARENTS


class _PathChange(Struct, frozen=True):
    path: str
    status: Status
    entry: TreeEntry | None


class GitHistory:
    """Read what HEAD contains: its first parents, or with *all_parents* every ancestor, parents first.

    A commit is compared with its first parent; a merge, and the last commit, with the files that the commits
    before it lead to. First-parent histories name one parent at most, the one they contain. The order of
    commits does not change when commits follow on HEAD.
    """

    def __init__(self, path: Path, *, all_parents: bool = False) -> None:
        """Open the repository at *path*; raise HistoryError where it is none, or empty."""
        self._path = path
        self._all_parents = all_parents
        layout = _layout(path)
        refs = Refs(layout)
        head = refs.head()
        if head is None:
            raise HistoryError(f"{path} is an empty repository: HEAD has no commit yet")
        self._head = head
        self._oid_size = layout.oid_size
        self._overridden = refs.parents()
        self._store = ObjectStore(layout.shared / "objects", layout.oid_size, refs.replaced())
        self._trees = Trees(self._store, layout.oid_size)
        self._outline: list[CommitName] | None = None

    @property
    def name(self) -> str:
        """Return the directory's name, that of a bare repository without `.git`."""
        path = self._path.resolve()
        return project_name(path.parent.name if path.name == ".git" else path.name.removesuffix(".git"))

    def outline(self) -> list[CommitName]:
        """Return the commits, parents before children; raise HistoryError where one is missing."""
        if self._outline is None:
            order, parents = walk(self._head, self._parents)
            self._outline = [CommitName(oid.hex(), tuple(p.hex() for p in parents[oid])) for oid in order]
        return self._outline

    def commits(self, continuation: Continuation = BEGINNING) -> Iterator[SourceCommit]:
        """Yield the commits that are not recorded; raise HistoryError where an object is missing."""
        outline = self.outline()
        if all(name.sha in continuation.recorded for name in outline):
            return
        line = self._line(continuation)
        for name in outline:
            if name.sha not in continuation.recorded:
                yield self._source_commit(name, self._changes(name, self._difference(name, line)))

    def last(self) -> SourceCommit:
        """Return HEAD's commit, without its changes."""
        return self._source_commit(self.outline()[-1], ())

    def files(self) -> dict[str, FileMark]:
        """Return the files of HEAD's tree."""
        with self._reading(self._head):
            tree = self._commit(self._head).tree
            return {path_text(path): mark_of(self._content(e)) for path, e in self._trees.files(tree)}

    def covers(self, path: str) -> bool:  # noqa: ARG002 # a tree has every file
        """Return True: the tree of HEAD has all files, also where the clone is shallow."""
        return True

    def contents(self, paths: AbstractSet[str]) -> Iterator[SourceChange]:
        """Yield the files of HEAD's tree that have these paths."""
        with self._reading(self._head):
            for raw, entry in self._trees.files(self._commit(self._head).tree):
                path = path_text(raw)
                if path in paths:
                    yield SourceChange(path=path, status="A", content=self._content(entry))

    def close(self) -> None:
        """Close the repository's files."""
        self._store.close()

    def _line(self, continuation: Continuation) -> Line:
        """Return the line of files as the recorded commits have left it."""
        outline = self.outline()
        if continuation.base is None:
            return Line(self._trees, None)
        base = next(at for at, name in enumerate(outline) if name.sha == continuation.base)
        start = base
        if self._all_parents and continuation.in_order:
            start = max(at for at, whole in enumerate(files_are_whole(outline[: base + 1])) if whole)
        line = Line(self._trees, self._tree(outline[start].sha))
        for name in outline[start + 1 : base + 1]:
            line.follow(self._tree_of_parent(name), self._tree(name.sha))
        return line

    def _difference(self, name: CommitName, line: Line) -> Difference:
        oid = bytes.fromhex(name.sha)
        with self._reading(oid):
            tree = self._commit(oid).tree
            if not self._all_parents or len(name.parents) > 1 or oid == self._head:
                return line.become(tree)
            return line.follow(self._tree_of_parent(name), tree)

    def _changes(self, name: CommitName, difference: Difference) -> Iterator[SourceChange]:
        with self._reading(bytes.fromhex(name.sha)):
            for change in _ordered(difference):
                yield SourceChange(
                    path=change.path, status=change.status, content=self._content(change.entry)
                )

    def _source_commit(self, name: CommitName, changes: Iterator[SourceChange] | tuple[()]) -> SourceCommit:
        commit = self._commit(bytes.fromhex(name.sha))
        author, email = identity(commit.author, commit.encoding)
        return SourceCommit(
            sha=name.sha,
            parents=name.parents[:PARENTS],
            author_name=author,
            author_email=email,
            authored_at=author_time(commit.author),
            message=decoded(commit.message, commit.encoding).rstrip("\n"),
            changes=changes,
        )

    def _parents(self, oid: bytes) -> tuple[bytes, ...]:
        parents = self._overridden.get(oid)
        if parents is None:
            parents = self._commit(oid).parents
        return parents if self._all_parents else parents[:1]

    def _commit(self, oid: bytes) -> GitCommit:
        with self._reading(oid, "malformed"):
            kind, data = self._store.read(oid)
            if kind != "commit":
                raise HistoryError(f"{self._path}: {oid.hex()} is not a commit")
            return parse_commit(data, self._oid_size)

    def _tree(self, sha: str) -> bytes:
        return self._commit(bytes.fromhex(sha)).tree

    def _tree_of_parent(self, name: CommitName) -> bytes | None:
        return self._tree(name.parents[0]) if name.parents else None

    def _content(self, entry: TreeEntry | None) -> str | None:
        if entry is None or entry.is_submodule or entry.is_directory:
            return None
        try:
            kind, data = self._store.read(entry.oid, FILE_SIZE)
        except LargeObjectError:
            return None
        return text_of(data) if kind == "blob" else None

    @contextmanager
    def _reading(self, oid: bytes, damage: str = "damaged") -> Iterator[None]:
        """Turn what can be wrong with the objects of a commit into a sentence."""
        try:
            yield
        except MissingObjectError as error:
            raise HistoryError(
                f"{self._path} lacks the object {error.oid.hex()}: fetch the whole history into it, then try "
                "again"
            ) from error
        except (ObjectFaultError, RecursionError, OSError) as error:
            subject = "the commit" if damage == "malformed" else "a file of the commit"
            raise HistoryError(
                f"{self._path}: {subject} {oid.hex()} is {damage} ({error}); see `git fsck`"
            ) from error


def _layout(path: Path) -> Layout:
    try:
        layout = layout_of(path)
    except (LayoutError, OSError) as error:
        raise HistoryError(f"{path} uses a repository format that is not supported: {error}") from error
    if layout is None:
        raise HistoryError(f"{path} is not a git repository; give {ACCEPTED}")
    return layout


def _ordered(difference: Difference) -> tuple[_PathChange, ...]:
    return in_order(
        _PathChange(path_text(path), _status(old, new), new) for path, (old, new) in difference.items()
    )


def _status(old: TreeEntry | None, new: TreeEntry | None) -> Status:
    if old is None or new is None:
        return "A" if old is None else "D"
    return "T" if stat.S_IFMT(old.mode) != stat.S_IFMT(new.mode) else "M"
