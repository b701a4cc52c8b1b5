"""Where an import continues: what a project has already, compared with the history."""

import hashlib
from collections.abc import Sequence

from codepark.history_import.source import BEGINNING, CommitName, Continuation

_SHOWN = 12


class ChangedHistoryError(Exception):
    """The project was imported from another history; *related* says that the two share commits."""

    def __init__(self, reason: str, *, related: bool) -> None:
        """Give the reason as the middle of a sentence."""
        super().__init__(reason)
        self.related = related


def continuation_of(outline: Sequence[CommitName], recorded: Sequence[CommitName]) -> Continuation:
    """Return where the import of *outline* continues in a project that has *recorded*, both oldest first.

    Raises ChangedHistoryError where the commits that are missing do not simply follow the recorded ones.
    """
    if not recorded:
        return BEGINNING
    shas, known = [name.sha for name in outline], [name.sha for name in recorded]
    if shas[: len(known)] == known:
        return Continuation(recorded=frozenset(known), base=known[-1])
    have, last = frozenset(known), _place_of_last(shas, recorded)
    if last is not None and have.isdisjoint(shas[last + 1 :]):
        through = shas[: last + 1]
        if have.issuperset(through) or known[-1] != shas[last]:
            return Continuation(recorded=have.union(through), base=shas[last], in_order=False)
    if last is not None and _grew(outline, recorded):
        return Continuation(recorded=have, base=shas[last], in_order=False)
    if outline and have.isdisjoint(shas) and known[-1] in outline[0].parents:
        return Continuation(recorded=have, base=None, in_order=False)
    raise _changed(shas, known, last)


def difference_sha(before: str, head: str) -> str:
    """Return the hash of the commit that records how the files of *head* differ from those after *before*."""
    digest = hashlib.sha256(f"codepark/import-git/difference\0{before}\0{head}".encode()).hexdigest()
    return digest[: max(len(head), 40)]


def difference_name(before: str | None, head: str) -> CommitName:
    """Return the name of the commit that leads from the project's last commit to the history's last one.

    Both are its parents, as of a merge that takes the files of the second one.
    """
    return CommitName(difference_sha(before or "", head), (head,) if before is None else (before, head))


def _place_of_last(shas: Sequence[str], recorded: Sequence[CommitName]) -> int | None:
    """Return which commit of the history the project's last one is, or records the difference to."""
    last = recorded[-1].sha
    before = recorded[-2].sha if len(recorded) > 1 else ""
    for at in range(len(shas) - 1, -1, -1):
        if shas[at] == last or difference_sha(before, shas[at]) == last:
            return at
    return None


def _grew(outline: Sequence[CommitName], recorded: Sequence[CommitName]) -> bool:
    """Return whether the history has every recorded commit, unchanged, and its last commit is new.

    So it is where the branch that was imported has been merged into another one.
    """
    parents = {name.sha: name.parents for name in outline}
    return all(parents.get(name.sha) == name.parents for name in recorded) and all(
        name.sha != outline[-1].sha for name in recorded
    )


def _changed(shas: Sequence[str], known: Sequence[str], last: int | None) -> ChangedHistoryError:
    if set(known).isdisjoint(shas):
        return ChangedHistoryError("holds another history: the two have no commit in common", related=False)
    if last is None:
        have = set(shas)
        lost = next(sha for sha in reversed(known) if sha not in have) if set(known) - have else known[-1]
        return ChangedHistoryError(
            f"has the commit {lost[:_SHOWN]}, which the history does not contain any more", related=True
        )
    lacking = next((sha for sha in shas[: last + 1] if sha not in set(known)), shas[last])
    return ChangedHistoryError(
        f"lacks the commit {lacking[:_SHOWN]}, which the history has before others that are imported already",
        related=True,
    )
