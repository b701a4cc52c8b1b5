"""Where imported commands go: to the bus of this process, or to a server."""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from codepark.history_import.source import CommitName, FileMark, ImportFailedError
from commands.bus import BusyError
from commands.intake import CommandMetadata
from commands.outcomes import Accepted, KeyReusedError, Refused, Unavailable
from commands.position import parse_position
from commands.table.commits import CommitInput
from commands.table.projects import ProjectInput
from domain.actor import Actor
from domain.identifiers import project_stream
from domain.project.events import ProjectDeleted, Visibility
from projections.models.commits import COMMITS
from projections.models.files import FILES
from projections.store import Equals, Query

if TYPE_CHECKING:
    from codepark.profiles.profile import Profile

_TRIES = 60
_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 0.02
_BEHIND_SECONDS = 120.0
_PAGE = 500
_KEY_LENGTH: Final = 200
MOST_PROJECTS: Final = 10_000
"""How many projects of one name may have been imported and deleted before."""


class Project(Struct, frozen=True):
    """The project to import into; *new* is one that this import has created."""

    id: str
    new: bool


class ProjectFile(Struct, frozen=True):
    """A file of the project; of an old server, *digest* is not known."""

    path: str
    size: int
    digest: str | None | msgspec.UnsetType = msgspec.UNSET

    def has(self, mark: FileMark) -> bool:
        """Return whether the file has the content of *mark*, as far as one knows."""
        return self.size == mark.size and self.digest in (mark.digest, msgspec.UNSET)


class Sink(Protocol):
    """Takes the commands of an import."""

    def project(self, name: str, visibility: Visibility) -> Project:
        """Return the importer's project called *name*; create it where it is missing."""
        ...

    def commits(self, project_id: str) -> list[CommitName]:
        """Return the commits of the project, oldest first."""
        ...

    def files(self, project_id: str, position: str) -> Iterator[ProjectFile]:
        """Yield the files of the project, which include *position*."""
        ...

    def record(self, project_id: str, commits: Sequence[CommitInput]) -> str:
        """Record commits in order and return the position after them; raises ImportFailedError."""
        ...

    def position(self, project_id: str) -> str:
        """Return the present position, which includes what is recorded in the project."""
        ...

    def close(self) -> None:
        """Release what the sink holds."""
        ...


class LocalSink:
    """Issue commands through the bus of this process: the path that the API takes."""

    def __init__(self, profile: "Profile", actor: Actor) -> None:
        """Issue them as *actor*."""
        self._profile = profile
        self._request = CommandMetadata(actor=actor)

    def project(self, name: str, visibility: Visibility) -> Project:
        """Return the project."""
        project = self._profile.queries.projects.find_owned(self._request.actor.id, name)
        if project is not None:
            return Project(str(project["id"]), new=False)
        data = ProjectInput(name=name, visibility=visibility)
        for number in range(MOST_PROJECTS):
            request = msgspec.structs.replace(self._request, key=project_key(name, number))
            submission = self._profile.intake.submission("project.create", data, request)
            outcome = self._outcomes([submission])[0]
            if isinstance(outcome, Refused) and isinstance(outcome.refusal, KeyReusedError):
                continue
            accepted = self._accepted(outcome)
            project_id = accepted.stream.removeprefix("project-")
            if not accepted.replayed or self._exists(project_id):
                return Project(project_id, new=not accepted.replayed)
        raise ImportFailedError(f"too many projects were called {name}: choose another name with --project")

    def _exists(self, project_id: str) -> bool:
        stream = project_stream(project_id)
        last = self._profile.logs.of(project_id).last_event(stream)
        return last is not None and not isinstance(last.event, ProjectDeleted)

    def commits(self, project_id: str) -> list[CommitName]:
        """Return the commits, as the read model has them."""
        self._wait(self.position(project_id))
        documents = self._documents(COMMITS, project_id, "number")
        return [CommitName(commit["sha"], tuple(commit["parents"])) for commit in documents]

    def files(self, project_id: str, position: str) -> Iterator[ProjectFile]:
        """Yield the files, as the read model has them."""
        self._wait(position)
        for file in self._documents(FILES, project_id, "path"):
            yield ProjectFile(file["path"], file["size"], file["digest"])

    def record(self, project_id: str, commits: Sequence[CommitInput]) -> str:
        """Record commits."""
        intake = self._profile.intake
        submissions = [
            intake.submission("commit.record", commit, self._request, target=project_id) for commit in commits
        ]
        outcomes = self._outcomes(submissions)
        accepted = [
            self._accepted(outcome, f"the commit {commit.sha}: ")
            for commit, outcome in zip(commits, outcomes, strict=True)
        ]
        return accepted[-1].position.token()

    def position(self, project_id: str) -> str:
        """Return the end of the project's log."""
        return self._profile.logs.tip(self._profile.logs.number_of(project_id)).token()

    def _documents(self, collection: str, project_id: str, sort: str) -> Iterator[dict[str, Any]]:
        query = Query(collection=collection, where=(Equals("projectId", project_id),), sort=sort, limit=_PAGE)
        while documents := self._profile.store.find(query):
            yield from documents
            last = documents[-1]
            query = msgspec.structs.replace(query, after=(last[sort], last["id"]))

    def _wait(self, position: str) -> None:
        """Wait until the read models include *position*."""
        progress, pause = self._profile.progress, threading.Event()
        deadline = time.monotonic() + _BEHIND_SECONDS
        for partition, sequence in parse_position(position).sequences.items():
            while any(progress.sequence(name, partition) < sequence for name in (COMMITS, FILES)):
                if time.monotonic() > deadline:
                    raise ImportFailedError(
                        "the read models are behind: wait for the workers, then try again"
                    )
                pause.wait(_LOOK_SECONDS)

    def _outcomes(self, submissions: Sequence[Any]) -> list[Any]:
        try:
            outcomes = self._profile.bus.execute_sync(submissions)
            for _ in range(_TRIES):
                if not any(isinstance(outcome, Unavailable) for outcome in outcomes):
                    break
                time.sleep(_PAUSE_SECONDS)
                outcomes = self._profile.bus.execute_sync(submissions)
        except BusyError as error:
            raise ImportFailedError(str(error)) from error
        return outcomes

    def _accepted(self, outcome: Any, about: str = "") -> Accepted:
        if isinstance(outcome, Accepted):
            return outcome
        reason = outcome.refusal.message if isinstance(outcome, Refused) else outcome.reason
        raise ImportFailedError(f"{about}{reason}")

    def close(self) -> None:
        """Nothing is held: the profile belongs to the caller."""


def project_key(name: str, number: int) -> str:
    """Return the idempotency key of the *number*-th project called *name*: those before it are deleted."""
    text = name.encode().hex()
    if len(text) > _KEY_LENGTH:
        text = hashlib.sha256(name.encode()).hexdigest()
    return f"import-git:{text}" if number == 0 else f"import-git:{text}:{number}"
