"""Seven tabs while a history is imported: none shows an error, and lists are quick for others."""

import json
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from domain.actor import Tier
from tests.e2e.test_import import STARLETTE, needs_starlette
from tests.support.limited import LIMITED, from_address, somebody
from tests.support.server import Server, eventually, serving
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TABS = 7
TRIES = {429: 30, 503: 5}
"""As in `read_api/web/assets/api.js`."""

COMMITS = 1_347
LISTS, LIST_SECONDS = 300, 0.1


def shown(client: httpx.Client, path: str) -> httpx.Response:
    """Ask as a page does, which waits where it is refused for a while; return what it shows."""
    attempt = 1
    while True:
        answer = client.get(path)
        if attempt >= TRIES.get(answer.status_code, 0):
            return answer
        attempt += 1
        threading.Event().wait(int(answer.headers["retry-after"]) * (1 + random.random()))


def tab(server: Server, address: str, project: str) -> list[int]:
    """Open the page of a project from the list; return the statuses of what the two pages show."""
    path = f"/api/v1/projects/{project}"
    with from_address(server, address) as client:
        pages = [shown(client, asked) for asked in ("/api/v1/projects?limit=20", path, f"{path}/timeline")]
        pages.append(shown(client, f"{path}/insights"))
        return [page.status_code for page in pages]


def lists(client: httpx.Client, ended: threading.Event) -> list[float]:
    """Return how long each list of projects took, in seconds, until the import has ended."""
    waits: list[float] = []
    while not ended.is_set() or len(waits) < LISTS:
        start = time.monotonic()
        assert client.get("/api/v1/projects").status_code == httpx.codes.OK
        waits.append(time.monotonic() - start)
        ended.wait(0.01)
    return waits


@needs_starlette
def test_seven_tabs_show_no_error_while_a_history_is_imported(tmp_path: Path):
    with (
        serving(tmp_path / "data", LIMITED) as server,
        server.client(somebody(server, Tier.ENTERPRISE)) as reader,
        ThreadPoolExecutor(TABS + 1) as threads,
    ):
        ended = threading.Event()
        account = ["--server", server.url, "--token", somebody(server, Tier.ENTERPRISE)]
        command = [sys.executable, "-m", "codepark.cli", "import-git", str(STARLETTE), *account, "--public"]
        importing = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
        try:
            project = eventually(lambda: reader.get("/api/v1/projects").json()["items"])[0]["id"]
            waits = threads.submit(lists, reader, ended)
            tabs = [threads.submit(tab, server, "10.99.0.1", project) for _ in range(TABS)]
            assert [opened.result(stretched(90)) for opened in tabs] == [[200] * 4] * TABS
            imported, _ = importing.communicate(timeout=stretched(120))
            assert json.loads(imported.splitlines()[-1])["commits"] == COMMITS
        finally:
            ended.set()
            importing.kill()
            importing.communicate()
        seconds = sorted(waits.result(stretched(60)))
        assert seconds[int(len(seconds) * 0.99)] <= stretched(LIST_SECONDS), seconds[-10:]
