"""G1, G3, G5, G7: kill -9 under load, many times; then compare acknowledgements with log and read models."""

import random
import threading
from collections import Counter

import httpx
import pytest

from codepark.operations import broken_chain
from codepark.profiles.embedded import EmbeddedProfile
from codepark.settings import Settings
from streams.rebuild import rebuild
from tests.support.documents import dump
from tests.support.proof import ran, size
from tests.support.server import Server
from tests.support.time_scale import stretched

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300), pytest.mark.proof("server killed under load")]

KILLS = size(12, 250)
WRITERS = 6


class Writer(threading.Thread):
    """Sends commands with idempotency keys, again until each is answered, and notes every answer."""

    def __init__(self, server, number, stop, settled):
        super().__init__(daemon=True)
        self.server, self.number, self.stop, self.settled = server, number, stop, settled
        self.acknowledged = {}
        self.token = server.token()
        self.project = None
        self.faults = []

    def run(self):
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.server.url, headers=headers, timeout=stretched(5)) as client:
            for turn in range(100_000):
                if self.stop.is_set():
                    return
                self.one(client, turn)

    def one(self, client, turn):
        key = f"w{self.number}-{turn}"
        if self.project is None or turn % 10 == 0:
            answer = self.until_answered(client, "POST", "/api/v1/projects", key, {"name": key})
            if answer is not None:
                self.project = answer.json()["id"]
        else:
            path = f"/api/v1/projects/{self.project}/files/{turn % 7}.py"
            answer = self.until_answered(client, "PUT", path, key, {"content": f"x = {turn}\n"})
        if answer is None:
            return
        if answer.status_code not in (200, 201):
            self.faults.append((answer.status_code, answer.text))
            return
        self.acknowledged[answer.headers["CodePark-Command"]] = answer.headers["CodePark-Position"]
        self.settled.release()

    def until_answered(self, client, method, path, key, body):
        """Retry with the same key through crashes, as a client would."""
        pause = threading.Event()
        for _ in range(2_000):
            try:
                answer = client.request(method, path, json=body, headers={"Idempotency-Key": key})
                if answer.status_code not in (503, 409):
                    return answer
            except httpx.TransportError:
                pass
            if self.stop.is_set():
                return None
            pause.wait(0.02)
        raise AssertionError("no answer after many tries")


def test_nothing_acknowledged_is_lost_or_doubled(tmp_path):
    server = Server(tmp_path / "data").start()
    stop, settled = threading.Event(), threading.Semaphore(0)
    writers = [Writer(server, number, stop, settled) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    chance = random.Random(20)
    try:
        for _ in range(KILLS):
            for _ in range(
                chance.randint(5, 40)
            ):  # kill after so many acknowledgements, wherever the others are
                assert settled.acquire(timeout=stretched(60))
            server.kill()
            server.start()
            ran()
    finally:
        stop.set()
        for writer in writers:
            writer.join(stretched(60))
    assert server.stop() == 0
    compare(tmp_path / "data", writers)


def compare(data, writers):
    assert [writer.faults for writer in writers] == [[] for _ in writers]
    acknowledged = {command: token for writer in writers for command, token in writer.acknowledged.items()}
    assert len(acknowledged) >= KILLS * 5
    parts = EmbeddedProfile(Settings(data=data))
    try:
        parts.start()
        records = parts.log.read(0, 1_000_000)
        first = Counter(record.command for record in records if record.commit_index == 1)
        assert set(acknowledged) <= set(first), "an acknowledged command is lost"
        assert max(first.values()) == 1, "a command took effect twice"
        assert [record.sequence for record in records] == list(range(1, len(records) + 1))
        assert broken_chain(parts.log) is None
        check_versions(records)
        check_read_models(parts, records)
    finally:
        parts.close()


def check_versions(records):
    """G2: versions 1, 2, 3 … in each stream; each key once, although it was sent again after every crash."""
    versions = {}
    for record in records:
        assert record.version == versions.get(record.stream, 0) + 1
        versions[record.stream] = record.version


def check_read_models(parts, records):
    projects = [record for record in records if record.topic == "project.created"]
    for runner in parts.runners:
        runner.close()
        runner._ended = False
        while runner._step():
            pass
    assert parts.store.count("projects") == len(projects)
    files = {record.stream: record.version for record in records if record.topic == "file.written"}
    assert sorted(doc["version"] for doc in dump(parts.store, "files")) == sorted(files.values())
    for model in parts.models:
        before = {c.name: list(dump(parts.store, c.name)) for c in model.collections}
        rebuild(parts.log, parts.store, model)
        assert {c.name: list(dump(parts.store, c.name)) for c in model.collections} == before, model.name
    assert parts.store.dead_letters() == []
