"""Which nodes are alive: each one announces itself in Redis every second, and counts as dead after three.

A heartbeat is signed: a process that can write to Redis, and does not have the installation's secret, makes
no node.
"""

import threading
import time
from collections.abc import Mapping

import redis
import structlog

from commands.nodes.proof import NodeProofs
from commands.summed_log import SummedLog

ALIVE_SECONDS = 3.0
_EVERY_SECONDS = 1.0
_LONGEST_NAME = 100

logger = structlog.get_logger(__name__)


class Heartbeat:
    """Announces this node's address, and knows the addresses of the nodes that are alive.

    Without Redis no node is known to be alive, and each one appends by itself: slower where they compete, but
    right.
    """

    def __init__(self, client: "redis.Redis", key: str, address: str | None, proofs: NodeProofs) -> None:
        """Announce *address* (None: only read the others') in the hash *key*, from a thread of its own."""
        self._client = client
        self._key = key
        self._address = address
        self._proofs = proofs
        self._moment = 0
        self._refused: dict[str, str] = {}
        self._forged = SummedLog("a heartbeat that no node of this installation made was ignored")
        self._alive: Mapping[str, float] = {}
        self._beats: dict[str, tuple[int, float]] = {}
        self._silent: dict[str, float] = {}
        self._ended = threading.Event()
        self._unavailable = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def alive(self) -> list[str]:
        """Return the addresses of nodes that are alive and were not silent since their last heartbeat."""
        now = time.monotonic()
        return [
            node
            for node, beat in self._alive.items()
            if beat > now - ALIVE_SECONDS and self._silent.get(node, 0.0) < beat
        ]

    def was_silent(self, node: str) -> None:
        """Note that *node* did not answer: no command is sent to it until its next heartbeat."""
        self._silent[node] = time.monotonic()

    @property
    def refused(self) -> int:
        """Return how many heartbeats were ignored, because no node of the installation made them."""
        return self._forged.total

    def close(self) -> None:
        """End the thread, and take this node's address back."""
        self._ended.set()
        self._thread.join(timeout=5)
        if self._address is not None:
            try:
                self._client.hdel(self._key, self._address)
            except redis.RedisError as error:
                logger.info("address not removed", reason=str(error))

    def _run(self) -> None:
        while True:
            self._round()
            if self._ended.wait(_EVERY_SECONDS):
                return

    def _round(self) -> None:
        """Announce this node, and look which others did."""
        try:
            if self._address is not None:
                self._client.hset(self._key, self._address, self._own(self._address))
            stored = self._client.hgetall(self._key)
        except redis.RedisError as error:
            self._lost(error)
        else:
            self._unavailable = False
            texts = {_text(name): _text(value) for name, value in dict(stored).items()}
            self._beats = self._timed(self._beats, self._genuine(texts))

    def _own(self, address: str) -> str:
        """Return this node's next heartbeat; its moment grows also where the clock is set back."""
        self._moment = max(self._moment + 1, self._proofs.now())
        return self._proofs.of_heartbeat(address, self._moment)

    def _genuine(self, texts: Mapping[str, str]) -> dict[str, int]:
        """Return the moments of the heartbeats that nodes made; count and log each new one of others."""
        moments, refused = {}, {}
        for node, text in texts.items():
            moment = self._proofs.heartbeat(node, text)
            if moment is not None:
                moments[node] = moment
                continue
            refused[node] = text
            if self._refused.get(node) != text:
                self._forged.note(logger.warning, node=node[:_LONGEST_NAME])
        self._refused = refused
        return moments

    def _timed(
        self, before: dict[str, tuple[int, float]], moments: Mapping[str, int]
    ) -> dict[str, tuple[int, float]]:
        """Return when each new moment was first seen by this node's clock.

        The moment only has to grow, and to be near this node's time: a heartbeat that somebody recorded and
        stores again later makes no dead node alive.
        """
        now, beats = time.monotonic(), {}
        for node, moment in moments.items():
            last = before.get(node)
            if last is not None and moment <= last[0]:
                beats[node] = last
            elif self._proofs.is_now(moment):
                beats[node] = (moment, now)
        self._alive = {node: seen for node, (_, seen) in beats.items()}
        return beats

    def _lost(self, error: redis.RedisError) -> None:
        self._alive = {}
        if not self._unavailable:
            self._unavailable = True
            logger.warning("no heartbeats, each node appends by itself", reason=str(error))


def _text(name: bytes | str) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name
