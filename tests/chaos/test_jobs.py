"""Jobs under kill -9 of what runs them and of their queue: each is done, and what it records, once.

A mail may be sent twice, where the process died between the mail and its record: as the same message.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path

import httpx
import psutil
import pytest
import redis

from devservers.program import Program
from tests.support.cluster import private_valkey
from tests.support.cluster_server import ClusterServer
from tests.support.people import Person
from tests.support.program import CodeParkProgram
from tests.support.proof import ran, size
from tests.support.server import Server, eventually
from tests.support.time_scale import stretched

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(300),
    pytest.mark.proof("workers and the queue of jobs killed under load"),
]

JOBS = size(120, 10_000)
WORKER_KILLS, QUEUE_KILLS = size(4, 50), size(2, 5)
MOST_PAUSE = 1.5
"""Seconds between two kills at most: less than a process needs to start would let none of them work."""


class Asking(threading.Thread):
    """Creates API tokens, each of which asks for a mail, and sends each request until it is answered."""

    def __init__(self, server: Server, person: Person) -> None:
        super().__init__(daemon=True)
        self._server, self._token = server, person.token
        self.asked = 0

    def run(self) -> None:
        with self._server.client(self._token) as client:
            while self.asked < JOBS:
                body = {"name": f"token {self.asked}", "scopes": ["read"]}
                key = {"Idempotency-Key": f"token-{self.asked}"}
                try:
                    answer = client.post("/api/v1/me/tokens", json=body, headers=key)
                except httpx.TransportError:
                    continue
                if answer.status_code == httpx.codes.CREATED:
                    self.asked += 1
                else:
                    assert answer.status_code in (503, 409), answer.text


class Stack:
    """An installation: its server, what runs its jobs, where it writes mail, and how its queue is killed."""

    def __init__(self, server: Server, worker: Program, mail: Path, kill_queue: Callable[[], None]) -> None:
        self.server, self.worker, self.mail, self.kill_queue = server, worker, mail, kill_queue

    def kill_worker(self) -> None:
        self.worker.kill()
        self.worker.start() if self.worker is self.server else self.worker.launch()

    def message_ids(self) -> Counter[str]:
        mails = [message_from_bytes(path.read_bytes()) for path in self.mail.glob("*.eml")]
        return Counter(str(mail["Message-ID"]) for mail in mails)


@pytest.fixture
def embedded(tmp_path):
    server = Server(tmp_path / "data", more={"CODEPARK_JOBS": "on"}).start()

    def kill_queue() -> None:
        """End the Valkey of the queue; the server starts it again."""
        for child in psutil.Process(server.pid).children():
            with suppress(psutil.NoSuchProcess):
                if str(server.data / "queue") in child.cmdline():
                    child.kill()

    yield Stack(server, server, server.data / "mail", kill_queue)
    assert server.stop() == 0


@pytest.fixture
def cluster(tmp_path, kafka, mongodb_uri, redis_url, topic_prefix):
    with private_valkey(tmp_path / "queue") as queue:
        server = ClusterServer(
            tmp_path / "data",
            kafka=kafka,
            mongodb_uri=mongodb_uri,
            redis_url=redis_url,
            prefix=topic_prefix,
        )
        server.environment |= {"CODEPARK_JOBS": "on", "CODEPARK_REDIS_QUEUE_URL": queue.address}
        settings = {**server.environment, "CODEPARK_DATA": str(tmp_path / "worker")}
        worker = CodeParkProgram("jobs", ["worker", "jobs"], settings, tmp_path / "worker.log")

        def kill_queue() -> None:
            """Empty the queue, and then end its server: the log alone knows the jobs now."""
            with redis.Redis.from_url(queue.address) as client:
                client.flushall()
            queue.kill()
            queue.start()

        try:
            server.start()
            worker.launch()
            yield Stack(server, worker, tmp_path / "worker" / "mail", kill_queue)
        finally:
            worker.kill()
            assert server.stop() == 0


@pytest.mark.parametrize("profile", ["embedded", "cluster"])
def test_each_job_is_done_and_recorded_once(request, profile):
    stack: Stack = request.getfixturevalue(profile)
    ada = Person(stack.server, "Ada")
    asking = Asking(stack.server, ada)
    asking.start()
    random.seed(stack.server.port)
    kills = [stack.kill_worker] * WORKER_KILLS + [stack.kill_queue] * QUEUE_KILLS
    random.shuffle(kills)
    for kill in kills:
        threading.Event().wait(random.uniform(0.2, MOST_PAUSE))
        kill()
        ran()
    asking.join(stretched(size(100, 3_000)))
    assert asking.asked == JOBS

    with stack.server.client(stack.server.token()) as admin:
        sent = eventually(lambda: all_recorded(admin), seconds=size(100, 3_000))
        assert len(sent) == JOBS
        failed = admin.get("/api/v1/jobs", params={"status": "failed"}).json()
        assert failed["items"] == []
    assert len(stack.message_ids()) == JOBS
    again = sum(count - 1 for count in stack.message_ids().values())
    assert again <= WORKER_KILLS * 8  # those that a killed worker had sent and not recorded


def all_recorded(admin: httpx.Client) -> list[str] | None:
    """Return the ids of the events that record mail, None while there are fewer than jobs."""
    ids: list[str] = []
    query: dict[str, str] | None = {"type": "mail.sent", "limit": "100", "order": "desc"}
    while query is not None:
        answer = admin.get("/api/v1/events", params=query)
        if not answer.is_success:
            return None
        page = answer.json()
        ids += [event["id"] for event in page["items"]]
        query = {**query, "cursor": page["nextCursor"]} if page["nextCursor"] else None
    return ids if len(ids) >= JOBS else None
