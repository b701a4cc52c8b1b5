"""The requests of the benchmark. CodePark and its peers have the same paths, so they get the same bytes."""

import itertools
import uuid
from collections.abc import Iterator, Sequence

from bench.wire import Answer, request

PROJECTS = "/api/v1/projects"
COMMANDS = "/api/v1/commands"
BATCH = 500
PASSWORD = "correct horse battery"  # noqa: S105 # of every account that the bench registers
_NAMES = 64
_ACCEPTED = b'"status":"accepted"'


def create(token: str | None, name: str = "project", visibility: str | None = None) -> bytes:
    """Return the request that creates one project."""
    body = {"name": name} if visibility is None else {"name": name, "visibility": visibility}
    return request("POST", PROJECTS, token=token, body=body)


def creates(token: str | None) -> Iterator[bytes]:
    """Return an endless series of requests that create projects."""
    return itertools.cycle([create(token, f"project {number}") for number in range(_NAMES)])


def batches(token: str | None, size: int = BATCH) -> Iterator[bytes]:
    """Return an endless series of requests that create *size* projects each."""
    commands = [{"type": "project.create", "data": {"name": f"project {number}"}} for number in range(size)]
    return itertools.repeat(request("POST", COMMANDS, token=token, body={"commands": commands}))


def file_writes(token: str | None, ids: Sequence[str]) -> Iterator[bytes]:
    """Return an endless series of requests that each change the file `src/main.py` of one project."""
    run, path = uuid.uuid4().hex, "files/src/main.py"
    return itertools.cycle(
        [
            request(
                "PUT", f"{PROJECTS}/{key}/{path}", token=token, body={"content": f"{run} = {number}\n" * 20}
            )
            for number in range(2)
            for key in ids
        ]
    )


def accepted(answer: Answer) -> int:
    """Return how many commands of a batch were accepted."""
    return answer.body.count(_ACCEPTED)


def reads(token: str | None, ids: Sequence[str]) -> Iterator[bytes]:
    """Return an endless series of requests that read one project each."""
    return itertools.cycle([request("GET", f"{PROJECTS}/{key}", token=token) for key in ids])


def read_after(token: str | None, key: str, position: str | None) -> bytes:
    """Return the request that reads a project at *position* or later."""
    headers = {} if position is None else {"CodePark-After": position}
    return request("GET", f"{PROJECTS}/{key}", token=token, headers=headers)


def list_after(token: str | None, position: str) -> bytes:
    """Return the request for the newest project at *position* or later."""
    return request("GET", f"{PROJECTS}?limit=1", token=token, headers={"CodePark-After": position})


def lists(token: str | None, limit: int = 20) -> Iterator[bytes]:
    """Return an endless series of requests for the newest projects."""
    return itertools.repeat(request("GET", f"{PROJECTS}?limit={limit}", token=token))
