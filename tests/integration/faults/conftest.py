"""Installations with servers of their own, so that a test may stop one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from commands.kafka.settings import KafkaSettings
from tests.support.installation import Installation

NewInstallation = Callable[..., Installation]


@pytest.fixture
def install(tmp_path, request, topic_prefix) -> Iterator[NewInstallation]:
    """Return a function that makes an installation: `install(redis_url=…)`.

    A server that is not named is the one that all tests share. Programs that still run at the end of the test
    must end in order.
    """
    with ExitStack() as stack:

        def make(**named: str) -> Installation:
            shared = {"kafka": "kafka", "mongodb_uri": "mongodb_uri", "redis_url": "redis_url"}
            servers = {
                option: named.pop(option) if option in named else request.getfixturevalue(name)
                for option, name in shared.items()
            }
            prefix = named.pop("prefix", topic_prefix)
            folder = tmp_path / f"installation-{prefix}"
            return stack.enter_context(Installation(folder, **servers, prefix=prefix, **named))

        yield make


@pytest.fixture
def settings(kafka, topic_prefix) -> KafkaSettings:
    """How to reach the log that belongs to this test alone."""
    return KafkaSettings(bootstrap_servers=kafka, prefix=topic_prefix)
