"""Count the calls that one request makes in the project's own code: `python -m bench calls`.

The application runs in this process over the embedded profile and has answered each kind of request before,
so that nothing is loaded, prepared or filled while it counts. Every thread's calls count. A generator or a
coroutine counts again each time it resumes, and a comprehension counts where the interpreter makes it a frame
(Python 3.11). Each figure is the least of the repetitions: to the others a thread that works at the same
time, such as that of insights, adds.
"""

import asyncio
import json
import logging
import platform
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx

from bench.in_process import in_process

PACKAGES = ("codepark", "read_api", "streams", "projections", "commands", "insights", "domain")
_ROOT = Path(__file__).parents[1]
_REPEATS = 20
_QUIET_SECONDS = 0.05
Ask = Callable[[int], Awaitable[httpx.Response]]


class CallCounter:
    """Count the calls of Python functions whose files lie in one of *folders*."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._folders = folders
        self._codes: list[CodeType] | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Profile this thread and every thread that starts while the block runs."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    @contextmanager
    def counted(self) -> Iterator[list[CodeType]]:
        """Give the list that the code of each call is added to while the block runs."""
        codes: list[CodeType] = []
        self._codes = codes
        try:
            yield codes
        finally:
            self._codes = None

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        codes = self._codes
        if codes is not None and event == "call" and frame.f_code.co_filename.startswith(self._folders):
            codes.append(frame.f_code)


def summary(codes: list[CodeType]) -> dict[str, int]:
    """Return how many calls there were, of how many functions, in how many modules."""
    return {
        "calls": len(codes),
        "functions": len(set(codes)),
        "modules": len({code.co_filename for code in codes}),
    }


async def count_calls(folder: Path, repeats: int = _REPEATS) -> dict[str, dict[str, int]]:
    """Return the summary of each kind of request, for an application with its data in *folder*."""
    counter = CallCounter(tuple(f"{_ROOT / package}/" for package in PACKAGES))
    with counter.installed():
        async with in_process(folder) as client:
            project = (await _answered(client.post("/projects", json={"name": "counted"}))).json()["id"]
            return {
                about: await _counted(counter, repeats, *requests)
                for about, requests in _requests(client, f"/projects/{project}").items()
            }


def _requests(client: httpx.AsyncClient, project: str) -> dict[str, tuple[Ask, ...]]:
    """Return the requests of each kind: the last one is counted, those before it change what it reads."""
    file = f"{project}/files/src/main.py"

    async def write(number: int) -> httpx.Response:
        return await client.put(file, json={"content": f"number = {number}\n"})

    async def create(number: int) -> httpx.Response:
        return await client.post("/projects", json={"name": f"project {number}"})

    async def read(_: int) -> httpx.Response:
        return await client.get(project)

    async def read_file(_: int) -> httpx.Response:
        return await client.get(file)

    return {
        "PUT a file": (write,),
        "GET a project, composed after a change": (write, read),
        "GET a project, again": (read,),
        "GET a file": (write, read_file),
        "POST a project": (create,),
    }


async def _counted(counter: CallCounter, repeats: int, *requests: Ask) -> dict[str, int]:
    *changes, request = requests
    summaries = []
    for number in range(repeats):
        for change in changes:
            await _answered(change(number))
        await asyncio.sleep(_QUIET_SECONDS)
        with counter.counted() as codes:
            await _answered(request(number))
        summaries.append(summary(codes))
    return min(summaries, key=lambda each: each["calls"])


async def _answered(request: Awaitable[httpx.Response]) -> httpx.Response:
    return (await request).raise_for_status()


def main() -> int:
    """Print the JSON document."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="bench-calls-") as folder:
        requests = asyncio.run(count_calls(Path(folder)))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(json.dumps({"python": python, "requests": requests}, indent=2))
    return 0
