"""G1, G3, G12: the broker is killed and stopped under load; nodes and workers recover without a restart."""

import logging
from collections.abc import Callable

import pytest

from tests.chaos.cluster.compare import compare, compare_read_models
from tests.chaos.cluster.writers import Writers
from tests.support.cluster import private_kafka
from tests.support.installation import Installation
from tests.support.server import eventually

logger = logging.getLogger(__name__)

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(240),
    pytest.mark.proof("broker killed under load", rounds=5),
]

WRITERS = 3
SOME = 30
CODES = ("log_unavailable", "busy", "projection_unavailable")


@pytest.fixture
def broker(tmp_path):
    with private_kafka(tmp_path / "kafka") as kafka:
        yield kafka


def test_a_broker_that_is_killed_or_stopped_loses_nothing(
    tmp_path, broker, mongodb_uri, redis_url, topic_prefix
):
    installation = Installation(
        tmp_path / "installation",
        kafka=broker.address,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=topic_prefix,
    )
    with installation:
        nodes = installation.start_nodes(2)
        installation.start_worker("projections")
        with Writers(nodes, WRITERS) as load:
            load.wait_for(SOME)
            broker.kill()
            _refused(load, broker.start)
            load.wait_for(SOME)
            broker.pause()
            _refused(load, broker.resume)
            load.wait_for(SOME)
        topic = compare(installation, load)
        logger.info("unavailable %s", len(load.unavailable))
        logger.info("counted %s", (len(topic.records), len(topic.void)))
        compare_read_models(installation, mongodb_uri, topic)


def _refused(load: Writers, mend: Callable[[], object]) -> None:
    """Wait until clients are told that the log is away, then mend it; each refusal says how to go on."""
    known = len(load.unavailable)
    try:
        eventually(lambda: len(load.unavailable) > known + WRITERS, seconds=40)
    finally:
        mend()
    for answer in load.unavailable[known:]:
        assert answer.json()["code"] in CODES, answer.text
        assert answer.headers["Retry-After"].isdecimal()
        assert answer.request.url.path.endswith("/commands") or answer.headers["CodePark-Command"]
