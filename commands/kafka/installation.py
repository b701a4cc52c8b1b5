"""What an installation on Kafka is known by: its secret key and its partitions, in a topic of its own.

Every process reads the topic before it appends. Of several records the first one in the order of the log
counts, so of several processes that start together with different keys one is admitted.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from uuid_utils import uuid7

from commands.kafka.protocol.aiokafka_transport import KafkaTransport
from commands.kafka.protocol.topics import LOG_CONFIG, Topics
from commands.kafka.protocol.transport import (
    BrokerUnavailableError,
    OutgoingMessage,
    Transport,
    TruncatedError,
)
from commands.kafka.settings import PARTITIONS, KafkaSettings
from commands.key_check import InstallationError, is_key_of, key_check
from commands.secrets import Secrets

_READS = 20


class Installation(Struct, frozen=True, rename="camel"):
    """An installation: its id, the check value of its secret key for that id, and its partitions."""

    id: str
    key_check: str
    partitions: int


def topic_of(settings: KafkaSettings) -> str:
    """Return the name of the topic that the installation is written in."""
    return f"{settings.prefix}installation"


async def join(
    settings: KafkaSettings, secrets: Secrets, *, make: bool, before_first: Callable[[], None]
) -> None:
    """Become a process of the installation; *make* it where there is none.

    *before_first* may refuse: it is called before the first record of a log that has been written to already.
    Raises InstallationError for another key or number of partitions, and where there is nothing to join;
    BrokerUnavailableError.
    """
    written, named = await _require_partitions(settings, make=make)
    if not named:
        return  # a log of an earlier release: its next start writes what it is known by
    transport = KafkaTransport(settings, topic_of(settings), 0)
    try:
        installation = await first_record(transport)
        if installation is None and make:
            if written:
                before_first()
            await transport.send([OutgoingMessage(None, _encoded(settings, secrets), [])])
            installation = await first_record(transport)
            if installation is None:
                raise BrokerUnavailableError("the installation was written, and cannot be read yet")
    finally:
        await transport.close()
    if installation is not None:
        require_same(installation, settings, secrets)


async def _require_partitions(settings: KafkaSettings, *, make: bool) -> tuple[bool, bool]:
    """Check the number of partitions; return whether there is a log, and a topic of the installation."""
    async with Topics(settings) as topics:
        partitions = await topics.partitions(settings.topic)
        named = make or await topics.partitions(topic_of(settings)) > 0
        if partitions == 0 and not named:
            raise InstallationError(
                f"there is no topic {settings.topic} at {settings.bootstrap_servers}: "
                "name the servers and the prefix of the installation"
            )
        if partitions not in (0, settings.partitions):
            raise _other_partitions(settings, partitions)
        if make:
            await topics.ensure(topic_of(settings), 1, LOG_CONFIG)
    return partitions > 0, named


async def first_record(transport: Transport) -> Installation | None:
    """Return the installation that the topic names, None where it names none yet."""
    end, offset = await transport.end(), 0
    for _ in range(_READS):
        if offset >= end:
            break
        try:
            messages, offset = await transport.fetch(offset, wait=True)
        except TruncatedError as error:
            raise InstallationError("the topic of the installation has lost its first record") from error
        for message in messages:
            return msgspec.json.decode(message.value or b"", type=Installation)
    return None


def require_same(installation: Installation, settings: KafkaSettings, secrets: Secrets) -> None:
    """Raise InstallationError unless *settings* and *secrets* are those of *installation*."""
    if installation.partitions != settings.partitions:
        raise _other_partitions(settings, installation.partitions)
    if not is_key_of(secrets, installation.id, installation.key_check):
        raise InstallationError(
            f"the secret key is not the one of the installation {settings.prefix}* at "
            f"{settings.bootstrap_servers}: give every process the key that its first one had"
        )


def _other_partitions(settings: KafkaSettings, partitions: int) -> InstallationError:
    return InstallationError(
        f"{PARTITIONS} is {settings.partitions}, and the log {settings.topic} has {partitions}: "
        "set the number that it was made with"
    )


def _encoded(settings: KafkaSettings, secrets: Secrets) -> bytes:
    number = str(uuid7())
    return msgspec.json.encode(Installation(number, key_check(secrets, number), settings.partitions))
