"""Pseudonyms: what replaces ids in public messages that would identify a person, a project or a text.

A pseudonym is a keyed hash. An id can be looked up in the API, and the ids of a file and of a suggestion can
be computed by a reader who guesses the path; a pseudonym can be neither looked up nor computed without the
installation's key. It never changes, so that an analyst can count and join within a project.

A person has another pseudonym in each project, and another for their account: who recognises a person in a
public project recognises them nowhere else.
"""

from collections.abc import Callable
from functools import lru_cache

from commands.secrets import Secrets
from domain.identifiers import ACCOUNTS_HOME, file_stream, project_stream, suggestion_stream

Pseudonym = Callable[[str], str]
"""From a name to 32 hexadecimal digits that stand for it."""

SERVICE = "service"
_SERVICE_PREFIX = "service:"
_REMEMBERED = 65_536
_USE = "public/2"


def keyed_pseudonyms(secrets: Secrets) -> Pseudonym:
    """Return the pseudonyms of an installation; another secret gives others."""

    @lru_cache(maxsize=_REMEMBERED)
    def pseudonym(name: str) -> str:
        return secrets.keyed_hash(_USE, name)

    return pseudonym


class Names:
    """The names of things in the public messages of one *home*: a project, all accounts, an announcement."""

    def __init__(self, pseudonym: Pseudonym, home: str) -> None:
        """Make names with *pseudonym*, those of persons for this *home* alone."""
        self._pseudonym = pseudonym
        self._home = home

    def person(self, person_id: str) -> str:
        """Return the name of an account or an author of commits; all programs are called `service`."""
        if person_id.startswith(_SERVICE_PREFIX):
            return SERVICE
        return self._pseudonym(f"person\0{self._home}\0{person_id}")

    def project(self, project_id: str) -> str:
        """Return the name of a project, whose id would lead to its history."""
        return self._pseudonym(project_stream(project_id))

    def thing(self, kind: str, id_: str) -> str:
        """Return the name of a review, a comment, a build or an announcement."""
        return self._pseudonym(f"{kind}-{id_}")

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
        """Return the name of a stream: its kind and the pseudonym of what it is about."""
        kind, _, id_ = stream.partition("-")
        if kind == "account":
            return f"{kind}-{self.person(id_)}"
        if kind == "commits":
            return f"{kind}-{self.project(id_)}"
        return f"{kind}-{self._pseudonym(stream)}"

    def home(self) -> str:
        """Return the name of the home key: that of the project, or `accounts`."""
        return ACCOUNTS_HOME if self._home == ACCOUNTS_HOME else self.project(self._home)

    def event(self, partition: int, sequence: int) -> str:
        """Return the name of an event, which does not reveal its place in the log."""
        return self._pseudonym(f"event-{partition}-{sequence}")
