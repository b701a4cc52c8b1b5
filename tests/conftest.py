"""Fixtures that several kinds of tests share; for every run its time limits and the size of its proofs."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_timeout
from hypothesis import HealthCheck, settings

from tests.support import proof
from tests.support.cluster import (
    kafka,
    mongodb_name,
    mongodb_uri,
    pytest_sessionfinish,
    redis_url,
    topic_prefix,
)
from tests.support.order import long_first
from tests.support.profile import Commands
from tests.support.time_scale import stretched

__all__ = ["kafka", "mongodb_name", "mongodb_uri", "pytest_sessionfinish", "redis_url", "topic_prefix"]

# The time of an example depends on how busy the machine is; what must be quick has a test of its own.
settings.register_profile(
    "tests",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=proof.size(100, 2_000),
)
settings.register_profile(
    "few", settings.get_profile("tests"), max_examples=10
)  # for a tree of a how-to page
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Repeat and count the proofs, and print their figures, where their full form runs."""
    if proof.FULL:
        config.pluginmanager.register(proof.Runs())
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(proof.Report())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each of several processes begin with tests that take long."""
    if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
        processes = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        items[:] = long_first(items, lambda item: item.nodeid.partition("::")[0], processes)


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:
    """Stretch the limit of a test as the machine needs it, and that of a proof for its full form."""
    settings = settings._replace(timeout=stretched(proof.limit(item, settings.timeout)))
    return bool(pytest_timeout.pytest_timeout_set_timer(item, settings))


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """The command side over a fresh directory."""
    parts = Commands(tmp_path)
    yield parts
    parts.close()
