"""The decider of the commit history of a project."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace
from rpds import HashTrieMap

from domain.actor import Actor
from domain.commit.commands import Change, RecordCommit
from domain.commit.events import CommitEvent, CommitPartRecorded, CommitRecorded, RecordedChange
from domain.commit.hashes import checked_sha
from domain.errors import ConflictError, InvalidError
from domain.file.paths import path_fault
from domain.limits import COMMIT_CHANGES, EMAIL_LENGTH, MESSAGE_LENGTH, NAME_LENGTH, PARENTS
from domain.project.access import ProjectAccess, require
from domain.text import checked_line, checked_text
from domain.times import parse_rfc3339

if TYPE_CHECKING:
    Shas: TypeAlias = HashTrieMap[str, bytes]
else:
    Shas = HashTrieMap  # has no type parameters at run time

_FINGERPRINT_SIZE: Final = 16
_UNKNOWN: Final = bytes(_FINGERPRINT_SIZE)


class History(Struct, frozen=True, kw_only=True):
    """The state of a commit history.

    *shas* are the recorded commits, each with the fingerprints of its parts, one after the other, in a
    persistent map: adding one shares all but O(log n) of the old map, where a copied `dict` would make an
    import quadratic. *parts* holds the recorded changes of incomplete commits, *fingerprints* those of their
    parts.
    """

    count: int
    shas: Shas
    parts: Mapping[str, tuple[RecordedChange, ...]]
    fingerprints: Mapping[str, bytes]


INITIAL = History(count=0, shas=HashTrieMap(), parts={}, fingerprints={})


def decide(
    project: ProjectAccess, history: History, command: RecordCommit, actor: Actor
) -> tuple[CommitEvent, ...]:
    """Return the events that *command* causes, or refuse it.

    No events mean that the commit or this part of it is recorded already: then its changes must not be
    applied to the files either, for later commits may have changed them. A commit with a recorded hash and
    other content is refused. Parents may be unknown: a history can be imported along first parents only, or
    from the middle.
    """
    require(project, actor, command.NAME)
    sha = checked_sha(command.sha, pointer="/sha")
    known = history.shas.get(sha)
    if known is not None:
        _check_same(known, command)
        return ()
    author_name = checked_line(command.author_name, pointer="/author/name", longest=NAME_LENGTH)
    _check(command)
    before = history.parts.get(sha, ())
    changes = _added(before, command.changes)
    if not command.complete:
        if not changes and before:
            _check_same_part(history.fingerprints.get(sha, b""), command)
        if not changes:
            return ()
        part = CommitPartRecorded(
            project_id=command.project_id, sha=sha, changes=changes, fingerprint=command.fingerprint
        )
        return (part,)
    recorded = CommitRecorded(
        project_id=command.project_id,
        sha=sha,
        number=history.count + 1,
        parents=command.parents,
        message=command.message,
        author_id=command.author_id,
        author_name=author_name,
        author_email=command.author_email,
        authored_at=command.authored_at,
        changes=before + changes,
        fingerprint=command.fingerprint,
    )
    return (recorded,)


def evolve(history: History, event: CommitEvent) -> History:
    """Return the history after *event*."""
    match event:
        case CommitPartRecorded(sha=sha):
            changes = history.parts.get(sha, ()) + event.changes
            known = {**history.fingerprints, sha: _fingerprints(history, event)}
            return replace(history, parts={**history.parts, sha: changes}, fingerprints=known)
        case CommitRecorded(sha=sha):
            parts, fingerprints = history.parts, history.fingerprints
            shas = history.shas.insert(sha, _fingerprints(history, event))
            if sha in parts:
                parts = {key: changes for key, changes in parts.items() if key != sha}
                fingerprints = {key: known for key, known in fingerprints.items() if key != sha}
            return History(count=event.number, shas=shas, parts=parts, fingerprints=fingerprints)
        case _:
            assert_never(event)


def touched_paths(command: RecordCommit) -> tuple[str, ...]:
    """Return the paths of the files that *command* changes."""
    return tuple(change.path for change in command.changes)


def _fingerprints(history: History, event: CommitEvent) -> bytes:
    """Return the fingerprints of the commit's parts with that of *event*."""
    added = _UNKNOWN if event.fingerprint is None else bytes.fromhex(event.fingerprint)
    return history.fingerprints.get(event.sha, b"") + added


def _check_same(known: bytes, command: RecordCommit) -> None:
    """Refuse another commit, or part, than those with the *known* fingerprints."""
    if not _has(known, command.fingerprint):
        raise ConflictError(
            "the project has another commit with this hash: send that one as it was, or this one with "
            "another sha or none",
            code="commit_recorded",
        )


def _check_same_part(known: bytes, command: RecordCommit) -> None:
    if not _has(known, command.fingerprint):
        raise ConflictError(
            "earlier parts of this commit record all of these paths with other content", code="commit_parts"
        )


def _has(known: bytes, fingerprint: str) -> bool:
    """Return whether *fingerprint* is among the known ones; commits of older releases have none."""
    size = _FINGERPRINT_SIZE
    values = {known[at : at + size] for at in range(0, len(known), size)}
    return _UNKNOWN in values or bytes.fromhex(fingerprint) in values


def _check(command: RecordCommit) -> None:
    if len(command.parents) > PARENTS:
        raise InvalidError(f"a commit has at most {PARENTS} parents", pointer="/parents")
    if len(command.changes) > COMMIT_CHANGES:
        raise InvalidError(
            f"a commit, or a part of one, has at most {COMMIT_CHANGES} changes", pointer="/changes"
        )
    for index, parent in enumerate(command.parents):
        checked_sha(parent, pointer=f"/parents/{index}")
    checked_text(command.message, pointer="/message", longest=MESSAGE_LENGTH)
    if command.author_email is not None:
        checked_text(command.author_email, pointer="/author/email", longest=EMAIL_LENGTH)
    _check_time(command.authored_at)
    _check_paths(command.changes)


def _check_time(value: str) -> None:
    fault = "write an RFC 3339 time with its offset, such as 2024-01-31T12:00:00+01:00"
    try:
        parse_rfc3339(value)
    except (ValueError, OverflowError) as error:
        raise InvalidError(fault, pointer="/authoredAt") from error


def _check_paths(changes: tuple[Change, ...]) -> None:
    seen = set[str]()
    for index, change in enumerate(changes):
        fault = path_fault(change.path)
        if fault is not None:
            raise InvalidError(fault, code="invalid_path", pointer=f"/changes/{index}/path")
        if change.path in seen:
            raise InvalidError("a commit changes each path once", pointer=f"/changes/{index}/path")
        seen.add(change.path)


def _added(before: tuple[RecordedChange, ...], changes: tuple[Change, ...]) -> tuple[RecordedChange, ...]:
    """Return the changes that are not among those recorded *before*: a repeated part adds nothing."""
    known = {change.path: change.status for change in before} if before else {}
    added: list[RecordedChange] = []
    for change in changes:
        status = known.get(change.path)
        if status is None:
            added.append(RecordedChange(path=change.path, status=change.status))
        elif status is not change.status:
            raise ConflictError(
                f"an earlier part of this commit records {status} for {change.path}", code="commit_parts"
            )
    return tuple(added)
