"""`codepark worker …` and `codepark topics …`: the cluster profile's own commands."""

import asyncio
import os
from typing import Annotated

import cyclopts
import msgspec
import structlog
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from codepark import logs
from codepark.cli.failures import CommandError
from codepark.settings import Settings, read_settings
from commands.environment import SettingsError
from commands.kafka.settings import BOOTSTRAP, KafkaSettings

MetricsPort = Annotated[int | None, Parameter(help="Serve metrics for Prometheus on this port of 127.0.0.1.")]

worker_app = cyclopts.App(name="worker", help="Run a worker of the cluster profile until it is told to end.")
topics_app = cyclopts.App(name="topics", help="Make and list the topics of Kafka.")


@worker_app.command(name="projections")
def projections(*, metrics_port: MetricsPort = None) -> None:
    """Keep the read models in MongoDB; several share the partitions."""
    settings = _settings()
    from codepark.workers import project  # noqa: PLC0415 # needs the extra `cluster`

    project(settings, metrics_port)
    structlog.get_logger(__name__).info("stopped")


@worker_app.command(name="insights")
def insights(*, metrics_port: MetricsPort = None) -> None:
    """Measure the files of projects, and keep what is found."""
    settings = _settings()
    from codepark.workers import analyse  # noqa: PLC0415 # as above

    analyse(settings, metrics_port)
    structlog.get_logger(__name__).info("stopped")


@worker_app.command(name="public")
def public(*, metrics_port: MetricsPort = None) -> None:
    """Publish the public topics for analysts."""
    settings = _settings()
    from codepark.workers import publish  # noqa: PLC0415 # as above

    publish(settings, metrics_port)
    structlog.get_logger(__name__).info("stopped")


@topics_app.command(name="create")
def create_topics() -> None:
    """Make the log, the dead letters and the public topics where they are missing, and check the log's settings."""
    made = asyncio.run(_create(_kafka()))
    print("\n".join(made))  # noqa: T201 # its result


@topics_app.command(name="list")
def list_topics(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> None:
    """List the topics of this installation, with their partitions."""
    found = asyncio.run(_list(_kafka()))
    if as_json:
        print(msgspec.json.encode({"topics": found}).decode())  # noqa: T201 # its result
        return
    table = Table("topic", "partitions")
    for item in found:
        table.add_row(str(item["name"]), str(item["partitions"]))
    Console().print(table)


async def _create(settings: KafkaSettings) -> list[str]:
    from commands.kafka.protocol.topics import Topics, ensure_log  # noqa: PLC0415 # needs the extra `cluster`
    from commands.kafka.protocol.transport import BrokerAwayError  # noqa: PLC0415 # as above
    from streams.faust import (  # noqa: PLC0415 # as above
        dead_letters,
        publisher,
    )
    from streams.public.topics import public_topics  # noqa: PLC0415 # as above

    try:
        await ensure_log(settings)
        async with Topics(settings) as topics:
            await topics.ensure(
                dead_letters.dead_letter_topic(settings.prefix), settings.partitions, dead_letters.CONFIG
            )
            for name in public_topics(settings.prefix):
                await topics.ensure(name, settings.partitions, publisher.CONFIG)
            return await topics.names()
    except BrokerAwayError as error:
        raise CommandError(str(error)) from error


async def _list(settings: KafkaSettings) -> list[dict[str, str | int]]:
    from commands.kafka.protocol.topics import Topics  # noqa: PLC0415 # needs the extra `cluster`
    from commands.kafka.protocol.transport import BrokerAwayError  # noqa: PLC0415 # as above

    try:
        async with Topics(settings) as topics:
            return [
                {"name": name, "partitions": await topics.partitions(name)} for name in await topics.names()
            ]
    except BrokerAwayError as error:
        raise CommandError(str(error)) from error


def _settings() -> Settings:
    settings = read_settings(os.environ)
    logs.configure(settings.log_level)
    if settings.kafka is None:
        raise SettingsError(f"workers belong to the cluster profile: set {BOOTSTRAP}")
    return settings


def _kafka() -> KafkaSettings:
    kafka = _settings().kafka
    assert kafka is not None  # noqa: S101 # _settings refuses otherwise
    return kafka
