"""G1 to G7 over several partitions: nodes and workers start, stall and die while clients write."""

import pytest

from tests.chaos.cluster.compare import compare, compare_read_models
from tests.chaos.cluster.writers import Writers
from tests.support.installation import Installation

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(300),
    pytest.mark.proof("partitions under load", rounds=5),
]

PARTITIONS = 3
WRITERS = 4
SOME = 60


@pytest.fixture
def partitioned(tmp_path, kafka, mongodb_uri, redis_url, topic_prefix):
    made = Installation(
        tmp_path / "installation",
        kafka=kafka,
        mongodb_uri=mongodb_uri,
        redis_url=redis_url,
        prefix=topic_prefix,
        CODEPARK_PARTITIONS=str(PARTITIONS),
    )
    with made:
        yield made


def test_rebalances_under_load_lose_nothing(partitioned, mongodb_uri):
    nodes = partitioned.start_nodes(2)
    first = partitioned.start_worker("projections")
    with Writers(nodes, WRITERS) as load:
        load.wait_for(SOME)
        second = partitioned.start_worker("projections")  # takes some of the partitions over
        load.wait_for(SOME)
        first.kill()  # and then all
        load.wait_for(SOME)
        third = partitioned.start_worker("projections")
        second.pause()
        load.wait_for(SOME)
        second.resume()  # with batches of long ago in its hands
        nodes[1].kill()
        load.wait_for(SOME)
        nodes[1].start_again()
        load.wait_for(SOME)
    topic = compare(partitioned, load)
    assert all(len(part.records) > SOME // 3 for part in topic.parts)
    compare_read_models(partitioned, mongodb_uri, topic)
    assert second.running
    assert third.running


def test_nodes_that_fight_for_several_partitions_keep_every_answer(partitioned, mongodb_uri):
    fighting = partitioned.start_nodes(2, with_address=False)
    partitioned.start_worker("projections")
    with Writers(fighting, WRITERS) as load:
        load.wait_for(3 * SOME)
    topic = compare(partitioned, load)
    assert topic.void, "they did not fight"
    compare_read_models(partitioned, mongodb_uri, topic)
