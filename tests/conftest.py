"""Fixtures that several kinds of tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import (
    kafka,
    mongodb_name,
    mongodb_uri,
    pytest_sessionfinish,
    redis_url,
    topic_prefix,
)
from tests.support.parts import Commands

__all__ = ["kafka", "mongodb_name", "mongodb_uri", "pytest_sessionfinish", "redis_url", "topic_prefix"]


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """The command side over a fresh directory."""
    parts = Commands(tmp_path)
    yield parts
    parts.close()
