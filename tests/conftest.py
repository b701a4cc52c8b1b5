"""Fixtures that several kinds of tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.parts import Commands


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """The command side over a fresh directory."""
    parts = Commands(tmp_path)
    yield parts
    parts.close()
