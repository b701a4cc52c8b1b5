"""A node of the cluster profile with its workers, behind the interface of the embedded server's helper."""

import base64
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx

from commands.position import START, parse_position
from tests.support.server import STOP_SECONDS, Raw, Server, eventually
from tests.support.time_scale import stretched

SECRET = base64.b64encode(bytes(range(32))).decode()
WORKERS = ("projections", "insights")


class ClusterServer(Server):
    """`codepark serve` over real servers, with the workers that keep its read models.

    A client carries the newest position that any client has seen: a query includes what it carries, no more.
    """

    def __init__(
        self, data: Path, *, kafka: str, mongodb_uri: str, redis_url: str, prefix: str, partitions: int = 3
    ) -> None:
        super().__init__(data)
        self.partitions = partitions
        self._cluster = {
            "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": kafka,
            "CODEPARK_MONGODB_URI": mongodb_uri,
            "CODEPARK_REDIS_URL": redis_url,
            "CODEPARK_TOPIC_PREFIX": prefix,
            "CODEPARK_SECRET_KEY": SECRET,
            "CODEPARK_PARTITIONS": str(partitions),
        }
        self._workers: list[subprocess.Popen[bytes]] = []
        self._newest = START

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of the installation."""
        return dict(self._cluster)

    @property
    def _environment(self) -> dict[str, str]:
        return super()._environment | self._cluster

    def start(self, *, followed: bool = True) -> "ClusterServer":
        """Start workers and node; *followed* waits until the workers do, which leaves an event in the log."""
        for name in WORKERS:
            with self.data.with_suffix(f".{name}.log").open("ab") as log:
                self._workers.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "codepark.cli", "worker", name],
                        env=self._environment,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )
        try:
            super().start()
            if followed:
                eventually(self._follows, seconds=60)
        except BaseException:  # nobody else knows of them yet
            self._end_workers(STOP_SECONDS)
            raise
        return self

    def _follows(self) -> bool:
        """Tell whether the workers project what is appended now: joining their groups takes them some seconds.

        A command that changes nothing leaves an event and no document.
        """
        with self.client(self.token()) as client:
            key = {"Idempotency-Key": uuid4().hex}
            told = client.post("/api/v1/notifications/read", json={"ids": []}, headers=key)
            return told.is_success and client.get("/api/v1/projects").is_success

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        status, workers = super().stop(seconds), self._end_workers(seconds)
        return status or workers

    def _end_workers(self, seconds: float) -> int:
        status = 0
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            try:
                status = status or worker.wait(stretched(2 * seconds))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
                raise
        return status

    def secret_key(self) -> str:
        return SECRET

    def client(self, token: str | None = None) -> httpx.Client:
        client = super().client(token)
        client.event_hooks = {"request": [self._carry], "response": [self._note]}
        return client

    def raw(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Raw:
        carried = {} if self._newest == START else {"CodePark-After": self._newest.token()}
        answer = super().raw(method, target, body, carried | (headers or {}))
        self._remember(answer.headers)
        return answer

    def _carry(self, request: httpx.Request) -> None:
        if self._newest != START:
            request.headers.setdefault("CodePark-After", self._newest.token())

    def _note(self, response: httpx.Response) -> None:
        self._remember(response.headers)

    def _remember(self, headers: httpx.Headers) -> None:
        token = headers.get("CodePark-Position")
        if token is not None:
            self._newest = self._newest.join(parse_position(token))
