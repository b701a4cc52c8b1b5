"""The one line of files that the commits of a history lead to, one after the other."""

from codepark.history_import.git.trees import Difference, TreeEntry, Trees


class Line:
    """The files of a project while a history is imported: those of a tree, with exceptions.

    The commits of a merged branch are recorded between those of the main line, so the files are then a
    mixture of both. A merge ends the mixture: it is recorded as the difference between the line and its tree.
    """

    def __init__(self, trees: Trees, tree: bytes | None) -> None:
        """Begin with the files of *tree*, None for no files."""
        self._trees = trees
        self._tree = tree
        self._exceptions: dict[bytes, TreeEntry | None] = {}

    def follow(self, before: bytes | None, after: bytes) -> Difference:
        """Apply what a commit changes in the tree of its first parent; return that."""
        changed = self._trees.difference(before, after)
        if before == self._tree and not self._exceptions:
            self._tree = after
            return changed
        for path, (_, entry) in changed.items():
            if self._trees.entry(self._tree, path) == entry:
                self._exceptions.pop(path, None)
            else:
                self._exceptions[path] = entry
        return changed

    def become(self, tree: bytes) -> Difference:
        """Lead to the files of *tree*; return the difference."""
        changed = self._trees.difference(self._tree, tree)
        for path, entry in self._exceptions.items():
            _, target = changed.pop(path) if path in changed else (None, self._trees.entry(tree, path))
            if entry != target:
                changed[path] = entry, target
        self._tree, self._exceptions = tree, {}
        return changed
