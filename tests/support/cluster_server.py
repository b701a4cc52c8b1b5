"""A node of the cluster profile with its workers, with the interface of the embedded server's helper."""

import base64
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import httpx

from commands.position import START, parse_position
from tests.support.program import STOP_SECONDS, CodeParkProgram
from tests.support.server import Raw, Server, eventually

SECRET = base64.b64encode(bytes(range(32))).decode()
WORKERS = ("projections", "insights")


class ClusterServer(Server):
    """`codepark serve` over real servers, with the workers that keep its read models.

    A client sends the newest position that any client has seen: a query includes what that position names,
    and need not include more.
    """

    def __init__(
        self,
        data: Path,
        *,
        kafka: str,
        mongodb_uri: str,
        redis_url: str,
        prefix: str,
        partitions: int = 3,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.partitions = partitions
        self.cluster_settings = {
            "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": kafka,
            "CODEPARK_MONGODB_URI": mongodb_uri,
            "CODEPARK_REDIS_URL": redis_url,
            "CODEPARK_TOPIC_PREFIX": prefix,
            "CODEPARK_SECRET_KEY": SECRET,
            "CODEPARK_PARTITIONS": str(partitions),
            **(more or {}),
        }
        super().__init__(data, more=self.cluster_settings)
        self._workers = [
            CodeParkProgram(name, ["worker", name], self.environment, data.with_suffix(f".{name}.log"))
            for name in WORKERS
        ]
        self._newest = START

    def start(self, *, followed: bool = True) -> "ClusterServer":
        """Start workers and node; *followed* waits until the workers do, which leaves an event in the log."""
        try:
            for worker in self._workers:
                worker.launch()
            super().start()
            if followed:
                eventually(self._follows, seconds=60)
        except BaseException:
            self._kill_all()
            raise
        return self

    def _follows(self) -> bool:
        """Return whether the workers project what is appended now: joining their groups takes some seconds.

        A command that changes nothing leaves an event and no document.
        """
        with self.client(self.token()) as client:
            key = {"Idempotency-Key": uuid4().hex}
            answer = client.post("/api/v1/notifications/read", json={"ids": []}, headers=key)
            return answer.is_success and client.get("/api/v1/projects").is_success

    def stop(self, seconds: float | None = None) -> int:
        """End node and workers in order; return 0 where each of them returned that."""
        limit = seconds or STOP_SECONDS
        try:
            codes = [super().stop(limit)]
            for worker in self._workers:
                worker.terminate()
            codes += [worker.ended(2 * limit) for worker in self._workers]
        finally:
            self._kill_all()
        return next((code for code in codes if code != 0), 0)

    def _kill_all(self) -> None:
        for program in (super(), *self._workers):
            program.kill()

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
