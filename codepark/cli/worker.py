"""`codepark worker …` and `codepark topics …`: the cluster profile's own commands."""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import cyclopts
import structlog
from cyclopts import Parameter
from rich.table import Table

from codepark import logs
from codepark.cli.failures import CommandError, UsageError
from codepark.cli.options import Data, Json
from codepark.cli.results import show
from codepark.port import require_free
from codepark.settings import Settings, read_settings
from commands.environment import PORTS
from commands.kafka.settings import KafkaSettings

MetricsPort = Annotated[int | None, Parameter(help="Serve metrics for Prometheus on this port of 127.0.0.1.")]

DeleteLinkable = Annotated[
    bool,
    Parameter(
        name="--delete-linkable",
        negative="",
        help="Delete the public topics of version 1, which link a person's work across projects.",
    ),
]

worker_app = cyclopts.App(name="worker", help="Run a worker of the cluster profile until SIGTERM or SIGINT.")
topics_app = cyclopts.App(name="topics", help="Make and list the topics of Kafka.")


@worker_app.command(name="projections")
def projections(*, metrics_port: MetricsPort = None) -> None:
    """Keep the read models in MongoDB; several workers share the partitions."""
    settings = _worker_settings(metrics_port)
    from codepark.workers import project  # noqa: PLC0415 # needs the extra `cluster`

    project(settings, metrics_port)
    structlog.get_logger(__name__).info("stopped")


@worker_app.command(name="insights")
def insights(*, metrics_port: MetricsPort = None) -> None:
    """Measure the files of projects, and keep the results."""
    settings = _worker_settings(metrics_port)
    from codepark.workers import analyse  # noqa: PLC0415 # as above

    analyse(settings, metrics_port)
    structlog.get_logger(__name__).info("stopped")


@worker_app.command(name="public")
def public(*, metrics_port: MetricsPort = None) -> None:
    """Publish the public topics for analysts."""
    settings = _worker_settings(metrics_port)
    from codepark.workers import publish  # noqa: PLC0415 # as above

    publish(settings, metrics_port)
    structlog.get_logger(__name__).info("stopped")


@worker_app.command(name="jobs")
def jobs(*, data: Data = None, metrics_port: MetricsPort = None) -> None:
    """Add the jobs that events ask for, and run them; several workers share them.

    Parameters
    ----------
    data
        A folder of this worker's own, for its copy of the log (default: ./codepark-data).
    """
    settings = _worker_settings(metrics_port, data)
    from codepark.jobs_worker import run_jobs  # noqa: PLC0415 # needs the extras `cluster` and `jobs`

    run_jobs(settings, metrics_port)
    structlog.get_logger(__name__).info("stopped")


@topics_app.command(name="create")
def create_topics(*, delete_linkable: DeleteLinkable = False, as_json: Json = False) -> None:
    """Make the topics of the log, the dead letters and the public events; check the settings of the log.

    Public topics of version 1 name a person alike in every project. If there are any, the command says so,
    and deletes them if you agree.
    """
    kafka = _cluster_settings().cluster().kafka
    names = asyncio.run(_create(kafka))
    linkable = _linkable(kafka, names)
    if linkable and (delete_linkable or _agreed(linkable)):
        asyncio.run(_delete(kafka, linkable))
        names = [name for name in names if name not in linkable]
    show({"topics": names}, "\n".join(names), as_json=as_json)


def _linkable(settings: KafkaSettings, names: Iterable[str]) -> list[str]:
    from streams.public.topics import linkable_topics  # noqa: PLC0415 # needs the extra `cluster`

    return sorted(set(linkable_topics(settings.prefix)) & set(names))


def _agreed(linkable: Sequence[str]) -> bool:
    """Warn of topics that link a person's work across projects, and ask a person whether to delete them."""
    text = (
        f"{', '.join(linkable)}: with these topics, analysts can link what a person did in different "
        "projects. Nothing is added to them any more: topics of version 2 have the whole history."
    )
    sys.stderr.write(f"warning: {text}\n")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        sys.stderr.write("To delete them: codepark topics create --delete-linkable\n")
        return False
    sys.stderr.write("Delete them with everything in them? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@topics_app.command(name="list")
def list_topics(*, as_json: Json = False) -> None:
    """List the topics of this installation, with their partitions."""
    partitions = asyncio.run(_partitions(_cluster_settings().cluster().kafka))
    table = Table("topic", "partitions")
    for name, count in partitions.items():
        table.add_row(name, str(count))
    topics = [{"name": name, "partitions": count} for name, count in partitions.items()]
    show({"topics": topics}, table, as_json=as_json)


async def _create(settings: KafkaSettings) -> list[str]:
    from commands.kafka.protocol.topics import Topics, ensure_log  # noqa: PLC0415 # needs the extra `cluster`
    from streams.faust import dead_letters, publisher  # noqa: PLC0415 # as above
    from streams.public.topics import public_topics  # noqa: PLC0415 # as above

    with _broker_errors():
        await ensure_log(settings)
        async with Topics(settings) as topics:
            name = dead_letters.dead_letter_topic(settings.prefix)
            await topics.ensure(name, settings.partitions, dead_letters.CONFIG)
            for name in public_topics(settings.prefix):
                await topics.ensure(name, settings.partitions, publisher.CONFIG)
            return await topics.names()


async def _delete(settings: KafkaSettings, names: Sequence[str]) -> None:
    from commands.kafka.protocol.topics import Topics  # noqa: PLC0415 # needs the extra `cluster`

    with _broker_errors():
        async with Topics(settings) as topics:
            await topics.delete(names)


async def _partitions(settings: KafkaSettings) -> dict[str, int]:
    from commands.kafka.protocol.topics import Topics  # noqa: PLC0415 # needs the extra `cluster`

    with _broker_errors():
        async with Topics(settings) as topics:
            return {name: await topics.partitions(name) for name in await topics.names()}


@contextmanager
def _broker_errors() -> Iterator[None]:
    """Turn the silence of Kafka into a sentence."""
    from commands.kafka.protocol.transport import BrokerUnavailableError  # noqa: PLC0415 # needs the extra `cluster`

    try:
        yield
    except BrokerUnavailableError as error:
        raise CommandError(str(error)) from error


def _worker_settings(metrics_port: int | None, data: Path | None = None) -> Settings:
    """Read the settings; raises UsageError and SettingsError where metrics cannot be served on that port."""
    settings = _cluster_settings(data)
    if metrics_port is not None:
        if metrics_port not in PORTS:
            raise UsageError(f"--metrics-port is {metrics_port}; it takes a number from 1 to 65535")
        require_free("127.0.0.1", metrics_port, "another with --metrics-port")
    return settings


def _cluster_settings(data: Path | None = None) -> Settings:
    """Read the settings; raises SettingsError where they are not those of the cluster profile."""
    settings = read_settings(os.environ, data=data)
    settings.cluster()
    logs.configure(settings.log_level)
    return settings
