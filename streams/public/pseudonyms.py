"""Pseudonyms: what replaces ids in public messages that would identify a person or a text.

A pseudonym is a keyed hash. An account's id can be looked up in the API, and the ids of a file and of a
suggestion can be computed by a reader who guesses the path; a pseudonym can be neither looked up nor computed
without the installation's key. It never changes, so that an analyst can count and join.

Random ids (of projects, reviews, comments, builds, announcements) are published as they are.
"""

from collections.abc import Callable
from functools import lru_cache

from commands.secrets import Secrets
from domain.identifiers import account_stream, file_stream, suggestion_stream

Pseudonym = Callable[[str], str]
"""From a name to 32 hexadecimal digits that stand for it."""

SERVICE = "service"
_SERVICE_PREFIX = "service:"
_PUBLIC_STREAMS = frozenset({"project", "commits", "review", "build", "announcement"})
_REMEMBERED = 65_536


def keyed_pseudonyms(secrets: Secrets) -> Pseudonym:
    """Return the pseudonyms of an installation; another secret gives others."""

    @lru_cache(maxsize=_REMEMBERED)
    def pseudonym(name: str) -> str:
        return secrets.keyed_hash("public", name)

    return pseudonym


class Names:
    """The names of things in public messages."""

    def __init__(self, pseudonym: Pseudonym) -> None:
        """Make names with *pseudonym*."""
        self._pseudonym = pseudonym

    def person(self, person_id: str) -> str:
        """Return the name of an account or an author of commits; all programs are called `service`."""
        if person_id.startswith(_SERVICE_PREFIX):
            return SERVICE
        return self._pseudonym(account_stream(person_id))

    def file(self, project_id: str, path: str) -> str:
        """Return the name of the file at *path* of a project."""
        return self._pseudonym(file_stream(project_id, path))

    def commit(self, project_id: str, sha: str) -> str:
        """Return the name of a commit; its hash could confirm a guess of its author and message."""
        return self._pseudonym(f"commit-{project_id}-{sha}")

    def commit_or_none(self, project_id: str, sha: str | None) -> str | None:
        """Return the name of a commit, None without a commit."""
        return None if sha is None else self.commit(project_id, sha)

    def suggestion(self, project_id: str, suggestion_id: str) -> str:
        """Return the name of a suggestion, whose id depends on a path and the name of a function."""
        return self._pseudonym(suggestion_stream(project_id, suggestion_id))

    def subject(self, stream: str) -> str:
        """Return the name of a stream: that in the log if its id is random, else its kind and a pseudonym."""
        kind = stream.partition("-")[0]
        return stream if kind in _PUBLIC_STREAMS else f"{kind}-{self._pseudonym(stream)}"
