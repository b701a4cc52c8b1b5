"""A history in a git repository on this machine, read without the git program."""

import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dulwich.diff_tree import TreeChange, tree_changes
from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException, NotGitRepository
from dulwich.objects import (
    S_ISGITLINK,
    Blob,
    Commit,
    ObjectID,
    TreeEntry,
    parse_commit_broken,
)
from dulwich.repo import Repo, UnsupportedExtension, UnsupportedVersion

from codepark.history_import.git_text import decoded, identity, path_text, rfc3339
from codepark.history_import.source import (
    ACCEPTED,
    HistoryError,
    SourceChange,
    SourceCommit,
    Status,
    in_order,
    text_of,
)

_EMPTY_TREES: Final = frozenset(
    {
        b"4b825dc642cb6eb9a060e54bf8d69288fbee4904",  # SHA-1
        b"6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",  # SHA-256
    }
)
"""The trees without entries: git knows them without storing them."""

_DAMAGED: Final = (ApplyDeltaError, ChecksumMismatch, FileFormatException, zlib.error, OSError)


class GitHistory:
    """Read what HEAD contains: its first parents, or with *all_parents* every ancestor, parents first.

    Each commit is compared with its first parent, a merge too. First-parent histories name one parent at
    most, the one they contain. The order of commits does not change when commits follow on HEAD.
    """

    def __init__(self, path: Path, *, all_parents: bool = False) -> None:
        """Open the repository at *path*; raise HistoryError where it is none, or empty."""
        try:
            self._repository = Repo(str(path))
        except NotGitRepository as error:
            raise HistoryError(f"{path} is not a git repository; give {ACCEPTED}") from error
        except (UnsupportedVersion, UnsupportedExtension, FileFormatException) as error:
            raise HistoryError(f"{path} uses a repository format that is not supported: {error}") from error
        self._path = path
        self._all_parents = all_parents
        self._order: list[ObjectID] | None = None
        try:
            self._head = self._repository.head()
        except KeyError as error:
            self.close()
            raise HistoryError(f"{path} is an empty repository: HEAD has no commit yet") from error
        # One for all commits: making it reads the shallow file and the commit graph.
        self._provider = self._repository.parents_provider()

    @property
    def name(self) -> str:
        """Return the directory's name, that of a bare repository without `.git`."""
        path = self._path.resolve()
        return path.parent.name if path.name == ".git" else path.name.removesuffix(".git")

    def count(self) -> int:
        """Return how many commits the history has."""
        return len(self._shas())

    def commits(self) -> Iterator[SourceCommit]:
        """Yield the commits, parents before children; raise HistoryError where an object is missing."""
        for sha in self._shas():
            yield self._source_commit(sha)

    def close(self) -> None:
        """Close the repository's files."""
        self._repository.close()

    def _shas(self) -> list[ObjectID]:
        if self._order is None:
            self._order = self._walk()
        return self._order

    def _walk(self) -> list[ObjectID]:
        """Return the commits in the order in which a depth-first walk leaves them, first parents first."""
        order: list[ObjectID] = []
        seen = {self._head}
        # Not recursive: histories are deeper than the stack.
        path = [(self._head, iter(self._parents(self._head)))]
        while path:
            sha, parents = path[-1]
            for parent in parents:
                if parent not in seen:
                    seen.add(parent)
                    path.append((parent, iter(self._parents(parent))))
                    break
            else:
                order.append(sha)
                path.pop()
        return order

    def _parents(self, sha: ObjectID) -> list[ObjectID]:
        try:
            parents = self._provider.get_parents(sha, self._commit(sha))
        except KeyError as error:
            raise self._missing(error) from error
        return parents if self._all_parents else parents[:1]

    def _source_commit(self, sha: ObjectID) -> SourceCommit:
        commit = self._commit(sha)
        parents = self._parents(sha)
        name, email = identity(commit.author, commit.encoding)
        return SourceCommit(
            sha=sha.decode(),
            parents=tuple(parent.decode() for parent in parents),
            author_name=name,
            author_email=email,
            authored_at=rfc3339(commit.author_time, commit.author_timezone),
            message=decoded(commit.message, commit.encoding).rstrip("\n"),
            changes=self._changes(commit, parents),
        )

    def _commit(self, sha: ObjectID) -> Commit:
        try:
            commit = self._repository.object_store[sha]
        except KeyError as error:
            raise self._missing(error) from error
        except (FileFormatException, IndexError):
            return self._broken_commit(sha)
        if not isinstance(commit, Commit):
            raise HistoryError(f"{self._path}: {sha.decode()} is not a commit")
        return commit

    def _broken_commit(self, sha: ObjectID) -> Commit:
        """Return a commit with one of the malformed time zones that old tools wrote and git accepts."""
        try:
            _, data = self._repository.object_store.get_raw(sha)
            return parse_commit_broken(data)
        except (FileFormatException, ValueError, IndexError) as error:
            # The library parses loose objects before it hands them out; packed ones it does not.
            raise HistoryError(
                f"{self._path}: the commit {sha.decode()} is malformed ({error}); `git gc` may mend it"
            ) from error

    def _changes(self, commit: Commit, parents: list[ObjectID]) -> tuple[SourceChange, ...]:
        before = _tree(self._commit(parents[0])) if parents else None
        try:
            changed = tree_changes(
                self._repository.object_store, before, _tree(commit), change_type_same=True
            )
            return in_order([self._change(change) for change in changed])
        except KeyError as error:
            raise self._missing(error) from error
        except _DAMAGED as error:
            raise HistoryError(
                f"{self._path}: a file of {commit.id.decode()} is damaged ({error}); see `git fsck`"
            ) from error

    def _change(self, change: TreeChange) -> SourceChange:
        path = _path(change.old if change.new is None else change.new)
        return SourceChange(path=path, status=_status(change), content=self._content(change.new))

    def _content(self, entry: TreeEntry | None) -> str | None:
        if entry is None or S_ISGITLINK(entry.mode):
            return None
        blob = self._repository.object_store[entry.sha]
        return text_of(blob.data) if isinstance(blob, Blob) else None

    def _missing(self, error: KeyError) -> HistoryError:
        return HistoryError(
            f"{self._path} lacks the object {error}: fetch the whole history into it, then try again"
        )


def _tree(commit: Commit) -> ObjectID | None:
    return None if commit.tree in _EMPTY_TREES else commit.tree


def _status(change: TreeChange) -> Status:
    if change.old is None or change.new is None:
        return "A" if change.old is None else "D"
    if stat.S_IFMT(change.old.mode or 0) != stat.S_IFMT(change.new.mode or 0):
        return "T"
    return "M"


def _path(entry: TreeEntry | None) -> str:
    return path_text(entry.path) if entry is not None and entry.path is not None else ""
