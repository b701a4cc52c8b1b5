"""Requests to the workers, through lists in Redis: the worker owns its checkpoints, so it does what changes them."""

from uuid import uuid4

import msgspec
import redis
import structlog
from msgspec import Struct

logger = structlog.get_logger(__name__)

_KEPT_SECONDS = 3_600


class RetryRequest(Struct, frozen=True, kw_only=True):
    """Retry the dead letters of *models*, None for all of the worker's."""

    id: str
    models: tuple[str, ...] | None


class RetryResult(Struct, frozen=True, kw_only=True):
    """How many letters were solved and how many are left; *error* where it could not be done."""

    solved: int
    left: int
    error: str | None = None


class WorkerAwayError(Exception):
    """No worker took the request, or it did not answer, in time."""


_requests = msgspec.json.Decoder(RetryRequest)
_results = msgspec.json.Decoder(RetryResult)


class RetryRequests:
    """Requests for the workers of one group, to be done by the one that has the partition.

    A request that a worker took and died with is lost: who asked learns nothing in time, and asks again; a letter
    retried twice changes nothing.
    """

    def __init__(self, client: "redis.Redis", prefix: str, group: str, partition: int = 0) -> None:
        """Use lists whose names begin with *prefix*."""
        self._client = client
        self._list = f"{prefix}retry:{group}" + (f":{partition}" if partition else "")
        self._away = False

    def ask(self, models: tuple[str, ...] | None = None, *, timeout: float = 60.0) -> RetryResult:
        """Ask for a retry and wait for the result; raises WorkerAwayError and redis.RedisError."""
        request = RetryRequest(id=str(uuid4()), models=models)
        self._client.rpush(self._list, msgspec.json.encode(request))
        answer = self._client.blpop([self._answer(request.id)], timeout=timeout)
        if not isinstance(answer, list | tuple):
            self._client.lrem(self._list, 0, msgspec.json.encode(request))  # type: ignore[arg-type] # bytes do
            raise WorkerAwayError(f"no worker answered within {timeout:.0f} s")
        return _results.decode(answer[1])

    def take(self) -> RetryRequest | None:
        """Return the next request; never raises."""
        try:
            data = self._client.lpop(self._list)
            self._away = False
            return _requests.decode(data) if isinstance(data, bytes) else None
        except (redis.RedisError, msgspec.MsgspecError) as error:
            if not self._away:
                self._away = True
                logger.warning("no requests", reason=str(error))
            return None

    def answer(self, request: RetryRequest, result: RetryResult) -> None:
        """Give the result to who asked; never raises."""
        key = self._answer(request.id)
        try:
            self._client.rpush(key, msgspec.json.encode(result))
            self._client.expire(key, _KEPT_SECONDS)
        except redis.RedisError as error:
            logger.warning("no answer to a request", reason=str(error))

    def _answer(self, id: str) -> str:  # noqa: A002 # the field's name
        return f"{self._list}:{id}"
