"""Imported commands go to a server, through its API."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from codepark.history_import.sinks import MOST_PROJECTS, Project, ProjectFile, project_key
from codepark.history_import.source import CommitName, ImportFailedError
from commands.table.commits import CommitInput
from domain.project.events import Visibility

if TYPE_CHECKING:
    import httpx

_TRIES = 60
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 300.0
_TIMEOUT_SECONDS = 120.0
_CONNECT_SECONDS = 10.0
_AGAIN: Final = (409, 429, 503)
_GONE: Final = (404, 410)
_KEY_REUSED: Final = 422


class ServerSink:
    """Issue commands to a server's batch endpoint."""

    def __init__(self, url: str, token: str) -> None:
        """Send them to *url* with an access token; raises ImportFailedError where one of both is none."""
        import httpx  # noqa: PLC0415 # only where a server is asked: every start of a process would pay for it

        self._owner = _subject(token)
        self._url = url
        self._answered = False
        self._unreachable = httpx.TransportError
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        timeout = httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS)
        try:
            self._client = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ImportFailedError(f"{url} is no address of a server: {error}") from error

    def project(self, name: str, visibility: Visibility) -> Project:
        """Return the project."""
        project_id = self._owned(name)
        if project_id is not None:
            return Project(project_id, new=False)
        body = msgspec.json.encode({"name": name, "visibility": visibility})
        for number in range(MOST_PROJECTS):
            answer = self._request(
                "POST", "/api/v1/projects", body, {"Idempotency-Key": project_key(name, number)}
            )
            if answer.status_code in (*_GONE, _KEY_REUSED):
                continue
            project_id = str(_checked(answer)["id"])
            replayed = answer.headers.get("Idempotency-Replayed") == "true"
            if not replayed or self._exists(project_id, answer.headers.get("CodePark-Position")):
                return Project(project_id, new=not replayed)
        raise ImportFailedError(f"too many projects were called {name}: choose another name with --project")

    def _exists(self, project_id: str, position: str | None) -> bool:
        answer = self._request("GET", f"/api/v1/projects/{project_id}", b"", _after(position))
        if answer.status_code in _GONE:
            return False
        _checked(answer)
        return True

    def _owned(self, name: str) -> str | None:
        """Return the id of the importer's project called *name*, None where there is none."""
        path = f"/api/v1/projects?owner={quote(self._owner, safe='')}&sort=createdAt&limit=100"
        projects = self._items(path)
        return next((str(project["id"]) for project in projects if project["name"] == name), None)

    def commits(self, project_id: str) -> list[CommitName]:
        """Return the commits."""
        path = f"/api/v1/projects/{project_id}/commits?fields=sha,parents&limit=100"
        items = self._items(path, self.position(project_id))
        return [CommitName(commit["sha"], tuple(commit["parents"])) for commit in items][::-1]

    def files(self, project_id: str, position: str) -> Iterator[ProjectFile]:
        """Yield the files."""
        for file in self._items(f"/api/v1/projects/{project_id}/files?limit=100", position):
            yield ProjectFile(file["path"], file["size"], file.get("digest", msgspec.UNSET))

    def position(self, project_id: str) -> str:
        """Return the position after a command that changes nothing."""
        answer = self._request("PATCH", f"/api/v1/projects/{project_id}", b"{}", {})
        _checked(answer)
        return str(answer.headers["CodePark-Position"])

    def record(self, project_id: str, commits: Sequence[CommitInput]) -> str:
        """Record commits."""
        commands = [{"type": "commit.record", "target": project_id, "data": commit} for commit in commits]
        body = msgspec.json.encode({"commands": commands})
        results = self._results(body)
        for commit, result in zip(commits, results, strict=True):
            if result["status"] != "accepted":
                raise ImportFailedError(f"the commit {commit.sha}: {result['problem']['detail']}")
        return str(results[-1]["position"])

    def _results(self, body: bytes) -> Sequence[Any]:
        """Return the results of a batch, sent again while a command of it is unavailable."""
        for _ in range(_TRIES):
            results: Sequence[Any] = _checked(self._request("POST", "/api/v1/commands", body, {}))["results"]
            if not any(result["status"] == "unavailable" for result in results):
                return results
            time.sleep(_PAUSE_SECONDS)
        raise ImportFailedError("the server was busy for too long")

    def _items(self, first: str, position: str | None = None) -> Iterator[Any]:
        """Yield the items of every page of a list."""
        path = first
        while True:
            page = _checked(self._request("GET", path, b"", _after(position)))
            if not isinstance(page, dict) or not {"items", "nextCursor"} <= page.keys():
                raise ImportFailedError(f"{self._url} is not CodePark: correct --server")
            yield from page["items"]
            if page["nextCursor"] is None:
                return
            path = f"{first}&cursor={quote(page['nextCursor'], safe='')}"

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> "httpx.Response":
        """Send a request, again while the server is unavailable: a repeated command changes nothing.

        A server that has not answered yet is not waited for: there may be none.
        """
        for attempt in range(_TRIES):
            try:
                answer = self._client.request(method, path, content=body, headers=headers)
            except self._unreachable as error:
                if not self._answered:
                    raise ImportFailedError(
                        f"no server answers at {self._url} ({error}): start it, or correct --server"
                    ) from error
                if attempt == _TRIES - 1:
                    raise ImportFailedError(f"the server does not answer: {error}") from error
                time.sleep(_PAUSE_SECONDS)
                continue
            self._answered = True
            if answer.status_code not in _AGAIN or "Retry-After" not in answer.headers:
                return answer
            time.sleep(_pause(answer.headers["Retry-After"]))
        raise ImportFailedError("the server was busy for too long")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _after(position: str | None) -> dict[str, str]:
    return {} if position is None else {"CodePark-After": position}


def _pause(retry_after: str) -> float:
    """Return how long to wait: what the server asks for, at least a moment."""
    seconds = float(retry_after) if retry_after.isdigit() else 0.0
    return min(max(seconds, 1.0), _LONGEST_PAUSE_SECONDS) * _PAUSE_SECONDS


def _checked(answer: "httpx.Response") -> Any:
    path = urlsplit(str(answer.url)).path
    try:
        document = answer.json()
    except ValueError:
        document = None
    if answer.is_success and document is not None:
        return document
    if answer.is_success:
        raise ImportFailedError(f"{path} answered without JSON, so this is not CodePark: correct --server")
    detail = document.get("detail") if isinstance(document, dict) else None
    raise ImportFailedError(f"{path} answered {answer.status_code}: {detail or answer.text[:200]}")


def _subject(token: str) -> str:
    import jwt  # noqa: PLC0415 # only needed against a server

    try:
        return str(jwt.decode(token, options={"verify_signature": False})["sub"])
    except (jwt.PyJWTError, KeyError) as error:
        raise ImportFailedError("this is not an access token: make one with `codepark token`") from error
