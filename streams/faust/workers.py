"""The kinds of workers. Each function runs one until SIGTERM or SIGINT."""

from collections.abc import Callable, Sequence

import redis
from prometheus_client.registry import Collector

from commands.kafka.settings import KafkaSettings
from commands.mapper import EventMapper
from commands.partitioner import partition_of
from insights.analyser import ProcessAnalyser
from projections.insights_model import insights_model
from projections.model import ReadModel
from projections.redis.progress import ProgressPublisher
from projections.store import DocumentStore
from streams.faust.effects import DeadLetterEffects
from streams.faust.publisher import Outbox, PublicEffects, public_model
from streams.faust.requests import RetryRequests
from streams.faust.worker import Worker, serve
from streams.public.pseudonyms import Pseudonym

PROJECTIONS, INSIGHTS, PUBLISHING = "projections", "insights", "public"
"""The names of the consumer groups, without the prefix of the installation."""

Ready = Callable[[], None]


def run_projections(
    settings: KafkaSettings,
    store: DocumentStore,
    mapper: EventMapper,
    models: Sequence[ReadModel],
    redis_client: redis.Redis | None,
    prefix: str,
    *,
    group: str = PROJECTIONS,
    ready: Ready | None = None,
    metrics_port: int | None = None,
    collectors: Sequence[Collector] = (),
) -> None:
    """Keep *models* up to date as a member of the group `<prefix><group>`; *collectors* add to its metrics.

    Raises errors that a restart does not mend: LogCorruptError, NewerModelError, SettingsError.
    """
    publisher = None if redis_client is None else ProgressPublisher(redis_client, prefix)

    def worker() -> Worker:
        return Worker(
            settings,
            f"{prefix}{group}",
            store,
            mapper,
            lambda _: models,
            lambda sender: DeadLetterEffects(settings, group, sender, publisher),
            _requests(redis_client, prefix, group),
        )

    serve(worker, ready, metrics_port, collectors)


def run_insights(
    settings: KafkaSettings,
    store: DocumentStore,
    mapper: EventMapper,
    redis_client: redis.Redis | None,
    prefix: str,
    *,
    ready: Ready | None = None,
    metrics_port: int | None = None,
    collectors: Sequence[Collector] = (),
) -> None:
    """Measure files as a member of the group `<prefix>insights`; raises as `run_projections` does."""
    analyser = ProcessAnalyser()
    try:
        run_projections(
            settings,
            store,
            mapper,
            (insights_model(analyser, lambda home: partition_of(home, settings.partitions)),),
            redis_client,
            prefix,
            group=INSIGHTS,
            ready=ready,
            metrics_port=metrics_port,
            collectors=collectors,
        )
    finally:
        analyser.close()


def run_public(
    settings: KafkaSettings,
    store: DocumentStore,
    mapper: EventMapper,
    pseudonym: Pseudonym,
    redis_client: redis.Redis | None,
    prefix: str,
    *,
    ready: Ready | None = None,
    metrics_port: int | None = None,
    collectors: Sequence[Collector] = (),
) -> None:
    """Publish the messages for analysts as a member of the group `<prefix>public`.

    *store* holds the checkpoint, that of the model `public-topics`. Raises as `run_projections` does.
    """
    outbox = Outbox()

    def models(partition: int) -> tuple[ReadModel, ...]:
        return (public_model(partition, pseudonym, prefix, outbox),)

    def worker() -> Worker:
        return Worker(
            settings,
            f"{prefix}{PUBLISHING}",
            store,
            mapper,
            models,
            lambda sender: PublicEffects(
                settings, DeadLetterEffects(settings, PUBLISHING, sender, None), sender, outbox
            ),
            _requests(redis_client, prefix, PUBLISHING),
        )

    serve(worker, ready, metrics_port, collectors)


def _requests(client: redis.Redis | None, prefix: str, group: str) -> Callable[[int], RetryRequests] | None:
    return None if client is None else lambda partition: RetryRequests(client, prefix, group, partition)
