"""The order in which the commits of a history are recorded."""

from collections.abc import Callable, Sequence

from codepark.history_import.source import CommitName

Parents = Callable[[bytes], tuple[bytes, ...]]


def walk(head: bytes, parents_of: Parents) -> tuple[list[bytes], dict[bytes, tuple[bytes, ...]]]:
    """Return the commits in the order in which a depth-first walk leaves them, and the parents of each.

    First parents come first, so the order does not change when commits follow on *head*.
    """
    order: list[bytes] = []
    parents = {head: parents_of(head)}
    # Not recursive: histories are deeper than the stack.
    path = [(head, iter(parents[head]))]
    while path:
        oid, rest = path[-1]
        for parent in rest:
            if parent not in parents:
                parents[parent] = parents_of(parent)
                path.append((parent, iter(parents[parent])))
                break
        else:
            order.append(oid)
            path.pop()
    return order, parents


def files_are_whole(outline: Sequence[CommitName]) -> list[bool]:
    """Return of each commit whether the files after it are those of its tree.

    They are after a merge, and after a commit that follows its own parent.
    """
    whole: list[bool] = []
    for at, name in enumerate(outline):
        follows = at > 0 and name.parents[:1] == (outline[at - 1].sha,) and whole[-1]
        whole.append(at == 0 or len(name.parents) > 1 or follows)
    return whole
