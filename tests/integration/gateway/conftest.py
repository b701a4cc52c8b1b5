from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.limited import LIMITED
from tests.support.quotas import Small, small_quotas
from tests.support.server import Server, serving


@pytest.fixture(scope="module", params=["in memory", "in Redis"])
def limited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve with limits, as one process counts and as several do together."""
    more = dict(LIMITED)
    if request.param == "in Redis":
        more |= {
            "CODEPARK_REDIS_URL": request.getfixturevalue("redis_url"),
            "CODEPARK_TOPIC_PREFIX": f"limits-{uuid4().hex[:12]}.",
        }
    with serving(tmp_path_factory.mktemp("limited") / "data", more) as server:
        yield server


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Small:
    """Make the quotas of the free tier as small as a test needs them."""
    return small_quotas(monkeypatch)
