"""Fixtures that several kinds of tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.cluster import (
    kafka,
    mongodb_name,
    mongodb_uri,
    pytest_sessionfinish,
    redis_url,
    topic_prefix,
)
from tests.support.profile import Commands

__all__ = ["kafka", "mongodb_name", "mongodb_uri", "pytest_sessionfinish", "redis_url", "topic_prefix"]

# How long an example takes says how busy the machine is; what must be quick has a test that says so.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """The command side over a fresh directory."""
    parts = Commands(tmp_path)
    yield parts
    parts.close()
