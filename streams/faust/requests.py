"""Requests to the workers, through lists in Redis: a partition's checkpoints belong to its worker alone."""

from uuid import uuid4

import msgspec
import redis
import structlog
from msgspec import Struct

logger = structlog.get_logger(__name__)

_ANSWER_SECONDS = 3_600


class RetryRequest(Struct, frozen=True, kw_only=True):
    """Retry the dead letters of *models*, None for all models of the worker."""

    id: str
    models: tuple[str, ...] | None


class RetryResult(Struct, frozen=True, kw_only=True):
    """How many dead letters were solved and how many are left; *error* says why a retry was not possible."""

    solved: int
    left: int
    error: str | None = None


class WorkerUnavailableError(Exception):
    """No worker took the request, or it did not answer in time."""


_requests = msgspec.json.Decoder(RetryRequest)
_results = msgspec.json.Decoder(RetryResult)


class RetryRequests:
    """Requests about one partition to the worker of a group that owns the partition.

    A request is lost if the worker that took it dies. The caller then gets no answer in time, and requests
    again; retrying a dead letter twice changes nothing.
    """

    def __init__(self, client: "redis.Redis", prefix: str, group: str, partition: int = 0) -> None:
        """Use lists whose names begin with *prefix*."""
        self._client = client
        self._list = f"{prefix}retry:{group}" + (f":{partition}" if partition else "")
        self._unavailable = False

    def ask(self, models: tuple[str, ...] | None = None, *, timeout: float = 60.0) -> RetryResult:
        """Request a retry and wait for the result; raises WorkerUnavailableError and redis.RedisError."""
        request = RetryRequest(id=str(uuid4()), models=models)
        self._client.rpush(self._list, msgspec.json.encode(request))
        answer = self._client.blpop([self._answer_list(request.id)], timeout=timeout)
        if not isinstance(answer, list | tuple):
            self._client.lrem(self._list, 0, msgspec.json.encode(request))  # type: ignore[arg-type] # bytes do
            raise WorkerUnavailableError(f"no worker answered within {timeout:.0f} s")
        return _results.decode(answer[1])

    def take(self) -> RetryRequest | None:
        """Return the next request; never raises."""
        try:
            data = self._client.lpop(self._list)
            self._unavailable = False
            return _requests.decode(data) if isinstance(data, bytes) else None
        except (redis.RedisError, msgspec.MsgspecError) as error:
            if not self._unavailable:
                self._unavailable = True
                logger.warning("no requests", reason=str(error))
            return None

    def answer(self, request: RetryRequest, result: RetryResult) -> None:
        """Send the result to the caller; never raises."""
        key = self._answer_list(request.id)
        try:
            self._client.rpush(key, msgspec.json.encode(result))
            self._client.expire(key, _ANSWER_SECONDS)
        except redis.RedisError as error:
            logger.warning("no answer to a request", reason=str(error))

    def _answer_list(self, id: str) -> str:  # noqa: A002 # the field's name
        return f"{self._list}:{id}"
