"""Maintenance of the cluster profile: a rebuild reads Kafka, the workers retry, the keys are MongoDB's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from codepark.profiles.cluster_connections import ClusterConnections
from codepark.profiles.maintenance import Advanced
from codepark.redis_clients import connect
from codepark.settings import ClusterSettings
from commands.log import LogUnavailableError
from projections.insights_model import INSIGHTS
from projections.model import ReadModel
from projections.models import READ_MODELS
from projections.redis.progress import ProgressPublisher
from projections.store import DeadLetter
from streams.public.topics import PUBLIC

_RETRY_ANSWER_SECONDS = 70.0
_GROUPS: Mapping[str, str] = dict.fromkeys((model.name for model in READ_MODELS), "projections") | {
    INSIGHTS: "insights",
    PUBLIC: "public",
}
"""The worker that keeps each model."""


class ClusterMaintenance:
    """Rebuild in this process; ask the workers, which own the checkpoints, to retry."""

    def __init__(self, settings: ClusterSettings, connections: ClusterConnections) -> None:
        """Work through the *connections* of a process of the cluster profile."""
        self._settings = settings
        self._connections = connections

    def rebuild(self, model: ReadModel, advanced: Advanced | None) -> int:
        """Build *model* again from the first event on Kafka while the workers continue, and switch to it."""
        from streams.faust.rebuild import rebuild_from_kafka  # noqa: PLC0415 # Faust is large, and rarely needed here

        kafka, connections = self._settings.kafka, self._connections
        return rebuild_from_kafka(
            kafka,
            connections.store,
            connections.mapper,
            model,
            publisher=ProgressPublisher(connections.redis, kafka.prefix),
            progress=advanced,
        )

    def retry_dead_letters(self) -> dict[str, Any]:
        """Ask the workers to retry every dead letter, and say which ones could not be retried, and why."""
        letters = self._connections.store.dead_letters()
        solved, left, reasons = 0, 0, []
        for (group, partition), count in sorted(_workers_of(letters).items()):
            if not group:
                left += count
                continue
            try:
                done, remaining = self._retry(group, partition)
            except LogUnavailableError as error:
                done, remaining = 0, count
                reasons.append(str(error))
            solved, left = solved + done, left + remaining
        reasons += [
            f"no worker keeps the read model {name} any more"
            for name in sorted({letter.model for letter in letters} - _GROUPS.keys())
        ]
        return {"solved": solved, "left": left, "reasons": reasons}

    def rotate_master_key(self) -> dict[str, int]:
        """Re-wrap the keys of people with the newest line of the file of master keys."""
        connections = self._connections
        return {"version": connections.kms.version, "wrapped": connections.keys.rewrap()}

    def _retry(self, group: str, partition: int) -> tuple[int, int]:
        """Return how many dead letters the worker that has a partition solved, and how many are left."""
        from streams.faust.requests import RetryRequests, WorkerUnavailableError  # noqa: PLC0415 # as above

        urls, ca_file = self._settings.redis, self._settings.redis_ca_file
        try:
            with connect(urls.pubsub, ca_file, seconds=_RETRY_ANSWER_SECONDS) as client:
                result = RetryRequests(client, self._settings.kafka.prefix, group, partition).ask()
        except (WorkerUnavailableError, redis.RedisError) as error:
            raise LogUnavailableError(
                f"`codepark worker {group}` does not answer for partition {partition}: {error}"
            ) from error
        if result.error is not None:
            raise LogUnavailableError(f"`codepark worker {group}` could not retry: {result.error}")
        return result.solved, result.left


def _workers_of(dead_letters: Sequence[DeadLetter]) -> Counter[tuple[str, int]]:
    """Return how many of *dead_letters* each worker has in each partition; no name stands for no worker."""
    return Counter((_GROUPS.get(letter.model, ""), letter.partition) for letter in dead_letters)
