"""Clients that send commands with idempotency keys to any node until each is answered, and record it."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self

import httpx

from tests.support.installation import Node, service_token
from tests.support.time_scale import stretched

SHARED = 3
RETRIES = frozenset({409, 503})
PAUSE_SECONDS = 0.02
LONGEST_SECONDS = 60.0


@dataclass(frozen=True)
class Told:
    """An answer that tells that a command took effect."""

    command: str
    stream: str
    version: int
    position: str
    replayed: bool

    @property
    def facts(self) -> tuple[str, str, int, str]:
        return self.command, self.stream, self.version, self.position


@dataclass
class Shared:
    """Projects that all writers change, with the versions that somebody was told last."""

    versions: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def choose(self, chance: random.Random) -> tuple[str, int]:
        with self.lock:
            return chance.choice(list(self.versions.items()))

    def saw(self, project: str, version: int) -> None:
        with self.lock:
            self.versions[project] = max(version, self.versions[project])


class Writers:
    """Some threads of load, until they are stopped; then each has an answer to everything it sent."""

    def __init__(self, nodes: Sequence[Node], count: int, seed: int = 4) -> None:
        self.seed = seed
        self.shared = Shared()
        self.settled = threading.Semaphore(0)
        self.stopping = threading.Event()
        with nodes[0].client() as client:
            for number in range(SHARED):
                answer = client.post("/api/v1/projects", json={"name": f"shared {number}"})
                assert answer.status_code == httpx.codes.CREATED, answer.text
                self.shared.versions[answer.json()["id"]] = 1
        self.prepared = SHARED
        self.all = [
            Writer(self, nodes, number, random.Random(seed * 1_000 + number)) for number in range(count)
        ]

    def __enter__(self) -> Self:
        for writer in self.all:
            writer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stopping.set()
        for writer in self.all:
            writer.join(stretched(LONGEST_SECONDS))
        if kind is None:
            assert not any(writer.is_alive() for writer in self.all)
            faults = [fault for writer in self.all for fault in writer.faults]
            assert not faults, faults[:5]

    def wait_for(self, count: int, seconds: float = LONGEST_SECONDS) -> None:
        """Wait for so many further acknowledgements."""
        end = monotonic() + stretched(seconds)
        for done in range(count):
            assert self.settled.acquire(timeout=max(end - monotonic(), 0)), (
                f"{done} of {count}: {self.state()}"
            )

    def state(self) -> list[Any]:
        """Return what the writers are at, for the reader of a failure."""
        return [(writer.faults, writer.last) for writer in self.all]

    @property
    def told(self) -> list[Told]:
        """Return every answer that told of an effect, replays among them."""
        return [told for writer in self.all for told in writer.told]

    @property
    def unsettled(self) -> int:
        """Return how many commands were refused after a try without an outcome: that try may count."""
        return sum(writer.unsettled for writer in self.all)

    @property
    def refused(self) -> int:
        return sum(writer.refused for writer in self.all)

    @property
    def unavailable(self) -> list[httpx.Response]:
        """Return the answers of 503 to commands."""
        return [answer for writer in self.all for answer in writer.unavailable]


class Writer(threading.Thread):
    """One client."""

    def __init__(self, load: Writers, nodes: Sequence[Node], number: int, chance: random.Random) -> None:
        super().__init__(name=f"writer-{load.seed}-{number}", daemon=True)
        self.load, self.nodes, self.chance = load, nodes, chance
        self.told: list[Told] = []
        self.unsettled = 0
        self.unavailable: list[httpx.Response] = []
        self.faults: list[Any] = []
        self.refused = 0
        self.last: Any = None
        self._pause = threading.Event()

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {service_token()}"}
        try:
            with httpx.Client(headers=headers, timeout=stretched(12)) as client:
                for turn in range(100_000):
                    if self.load.stopping.is_set():
                        return
                    self._one(client, f"{self.name}-{turn}")
        except Exception as error:  # noqa: BLE001 # the test tells of it
            self.faults.append(repr(error))

    def _one(self, client: httpx.Client, key: str) -> None:
        kind = self.chance.random()
        if kind < 0.4:
            self._create(client, key)
        elif kind < 0.75:
            self._change(client, key)
        else:
            self._batch(client, key)
        self.load.settled.release()

    def _create(self, client: httpx.Client, key: str) -> None:
        body = {"name": key}
        answer = self._answered(client, "POST", "/api/v1/projects", key, body)
        if answer.status_code != httpx.codes.CREATED:
            self.faults.append((answer.status_code, answer.text))
            return
        first = self._note(answer, f"project-{answer.json()['id']}")
        if self.chance.random() < 0.3:  # the same request again, at any node: the first outcome
            again = self._answered(client, "POST", "/api/v1/projects", key, body)
            if again.status_code != httpx.codes.CREATED:
                self.faults.append(("again", again.status_code, again.text, first))
                return
            second = self._note(again, f"project-{again.json()['id']}")
            if second.facts != first.facts:
                self.faults.append((first, second))

    def _change(self, client: httpx.Client, key: str) -> None:
        project, version = self.load.shared.choose(self.chance)
        path, condition = f"/api/v1/projects/{project}", {"If-Match": f'"{version}"'}
        answer = self._answered(client, "PATCH", path, key, {"description": key}, condition)
        if answer.status_code == httpx.codes.PRECONDITION_FAILED:
            self.refused += 1
            self._learn(client, project)
        elif answer.status_code != httpx.codes.OK:
            self.faults.append((answer.status_code, answer.text))
        else:
            told = self._note(answer, f"project-{project}")
            self.load.shared.saw(project, told.version)
            if told.version != version + 1:
                self.faults.append(("If-Match", version, told))

    def _learn(self, client: httpx.Client, project: str) -> None:
        """Change the project without a condition, as a client does that does not know its version."""
        key = f"{self.name}-learn-{self.chance.random()}"
        answer = self._answered(client, "PATCH", f"/api/v1/projects/{project}", key, {"description": key})
        if answer.status_code == httpx.codes.OK:
            self.load.shared.saw(project, self._note(answer, f"project-{project}").version)
        else:
            self.faults.append((answer.status_code, answer.text))

    def _batch(self, client: httpx.Client, key: str) -> None:
        names = [f"{key}-{index}" for index in range(3)]
        body = {
            "commands": [{"type": "project.create", "id": name, "data": {"name": name}} for name in names]
        }
        answer = self._answered(client, "POST", "/api/v1/commands", None, body)
        while not self._all_settled(answer):
            self._pause.wait(PAUSE_SECONDS)
            answer = self._answered(client, "POST", "/api/v1/commands", None, body)
        for result in answer.json()["results"]:
            if result["status"] != "accepted":
                self.faults.append(result)
                continue
            stream = f"project-{result['target']}"
            told = Told(
                result["commandId"], stream, result["version"], result["position"], "replayed" in result
            )
            self.told.append(told)

    def _all_settled(self, answer: httpx.Response) -> bool:
        return all(result["status"] != "unavailable" for result in answer.json().get("results", ()))

    def _note(self, answer: httpx.Response, stream: str) -> Told:
        told = Told(
            answer.headers["CodePark-Command"],
            stream,
            int(answer.headers["ETag"].strip('"').partition("-")[0]),
            answer.headers["CodePark-Position"],
            "Idempotency-Replayed" in answer.headers,
        )
        self.told.append(told)
        return told

    def _answered(
        self,
        client: httpx.Client,
        method: str,
        path: str,
        key: str | None,
        body: Any,
        more: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send until there is an outcome, each time to any node."""
        headers = (more or {}) | ({} if key is None else {"Idempotency-Key": key})
        end, unsettled = monotonic() + stretched(LONGEST_SECONDS), False
        while True:
            node = self.chance.choice(self.nodes)
            self.last = (node.name, method, path, key)
            try:
                answer = client.request(method, node.url + path, json=body, headers=headers)
                self.last = (*self.last, answer.status_code)
                if answer.status_code not in RETRIES or not self._is_open(answer):
                    if unsettled and answer.status_code == httpx.codes.PRECONDITION_FAILED:
                        self.unsettled += 1
                    return answer
            except httpx.TransportError:
                pass
            unsettled = True
            if monotonic() > end:
                raise AssertionError(f"no outcome in time: {self.last}")
            self._pause.wait(PAUSE_SECONDS)

    def _is_open(self, answer: httpx.Response) -> bool:
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.unavailable.append(answer)
            return True
        return bool(answer.json()["code"] == "in_flight")
