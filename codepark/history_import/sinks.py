"""Where imported commands go: to the bus of this process, or to a server."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from codepark.history_import.source import ImportFailedError
from commands.bus import BusyError
from commands.intake import CommandMetadata
from commands.outcomes import Accepted, Refused, Unavailable
from commands.table.commits import CommitInput
from commands.table.projects import ProjectInput
from domain.actor import Actor
from domain.project.events import Visibility

if TYPE_CHECKING:
    import httpx

    from codepark.profiles.profile import Profile

_TRIES = 60
_PAUSE_SECONDS = 1.0
_TIMEOUT_SECONDS = 120.0


class Sink(Protocol):
    """Takes the commands of an import."""

    def project(self, name: str, visibility: Visibility) -> str:
        """Return the id of the importer's project called *name*; create it where it is missing."""
        ...

    def record(self, project_id: str, commits: Sequence[CommitInput]) -> str:
        """Record commits in order and return the position after them; raises ImportFailedError."""
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

    def project(self, name: str, visibility: Visibility) -> str:
        """Return the project's id."""
        project = self._profile.queries.projects.find_owned(self._request.actor.id, name)
        if project is not None:
            return str(project["id"])
        request = msgspec.structs.replace(self._request, key=_project_key(name))
        data = ProjectInput(name=name, visibility=visibility)
        submission = self._profile.intake.submission("project.create", data, request)
        return self._accepted([submission])[0].stream.removeprefix("project-")

    def record(self, project_id: str, commits: Sequence[CommitInput]) -> str:
        """Record commits."""
        intake = self._profile.intake
        submissions = [
            intake.submission("commit.record", commit, self._request, target=project_id) for commit in commits
        ]
        return self._accepted(submissions)[-1].position.token()

    def _accepted(self, submissions: Sequence[Any]) -> list[Accepted]:
        try:
            outcomes = self._profile.bus.execute_sync(submissions)
            for _ in range(_TRIES):
                if not any(isinstance(outcome, Unavailable) for outcome in outcomes):
                    break
                time.sleep(_PAUSE_SECONDS)
                outcomes = self._profile.bus.execute_sync(submissions)
        except BusyError as error:
            raise ImportFailedError(str(error)) from error
        accepted = []
        for outcome in outcomes:
            if isinstance(outcome, Unavailable):
                raise ImportFailedError(outcome.reason)
            if isinstance(outcome, Refused):
                raise ImportFailedError(outcome.refusal.message)
            accepted.append(outcome)
        return accepted

    def close(self) -> None:
        """Nothing is held: the profile belongs to the caller."""


class ServerSink:
    """Issue commands to a server's batch endpoint."""

    def __init__(self, url: str, token: str) -> None:
        """Send them to *url* with an access token."""
        import httpx  # noqa: PLC0415 # only where a server is asked: every start of a process would pay for it

        self._unreachable = httpx.TransportError
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS)
        self._owner = _subject(token)

    def project(self, name: str, visibility: Visibility) -> str:
        """Return the project's id."""
        project_id = self._owned(name)
        if project_id is not None:
            return project_id
        body = msgspec.json.encode({"name": name, "visibility": visibility})
        project = self._send("POST", "/api/v1/projects", body, {"Idempotency-Key": _project_key(name)})
        return str(project["id"])

    def _owned(self, name: str) -> str | None:
        """Return the id of the importer's project called *name*, None where there is none."""
        first = path = f"/api/v1/projects?owner={self._owner}&sort=createdAt&limit=100"
        while True:
            page = self._send("GET", path, b"", {})
            for project in page["items"]:
                if project["name"] == name:
                    return str(project["id"])
            if page["nextCursor"] is None:
                return None
            path = f"{first}&cursor={page['nextCursor']}"

    def record(self, project_id: str, commits: Sequence[CommitInput]) -> str:
        """Record commits."""
        commands = [{"type": "commit.record", "target": project_id, "data": commit} for commit in commits]
        answer = self._send("POST", "/api/v1/commands", msgspec.json.encode({"commands": commands}), {})
        for result in answer["results"]:
            if result["status"] == "unavailable":
                return self.record(project_id, commits)
            if result["status"] != "accepted":
                raise ImportFailedError(result["problem"]["detail"])
        return str(answer["results"][-1]["position"])

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        """Send a request, again while the server is unavailable: a repeated command changes nothing."""
        for attempt in range(_TRIES):
            try:
                answer = self._client.request(method, path, content=body, headers=headers)
            except self._unreachable as error:
                if attempt == _TRIES - 1:
                    raise ImportFailedError(f"the server does not answer: {error}") from error
                time.sleep(_PAUSE_SECONDS)
                continue
            if answer.status_code not in (409, 429, 503) or "Retry-After" not in answer.headers:
                return _checked(answer)
            time.sleep(_pause(answer))
        raise ImportFailedError("the server was busy for too long")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _pause(answer: "httpx.Response") -> float:
    """Return how long the server wants the next request to wait; a batch may have to be paid for first."""
    seconds = answer.headers["Retry-After"]
    return float(seconds) if seconds.isdecimal() else _PAUSE_SECONDS


def _checked(answer: "httpx.Response") -> Any:
    if answer.is_success:
        return answer.json()
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):  # no JSON, or no problem document
        detail = answer.text[:200]
    raise ImportFailedError(f"{urlsplit(str(answer.url)).path} answered {answer.status_code}: {detail}")


def _subject(token: str) -> str:
    import jwt  # noqa: PLC0415 # only needed against a server

    try:
        return str(jwt.decode(token, options={"verify_signature": False})["sub"])
    except (jwt.PyJWTError, KeyError) as error:
        raise ImportFailedError("this is not an access token: make one with `codepark token`") from error


def _project_key(name: str) -> str:
    return "import-git:" + name.encode().hex()[:200]
