"""G1 to G4: nodes that know nothing of each other write to one partition at once; the log has one history."""

import logging

import pytest

from tests.chaos.cluster.compare import compare, compare_read_models
from tests.chaos.cluster.writers import Writers

logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180), pytest.mark.proof("nodes that fight", rounds=10)]

WRITERS = 6
ACKNOWLEDGED = 250


@pytest.mark.parametrize("nodes", [2, 3])
def test_nodes_that_fight_keep_every_answer(installation, mongodb_uri, nodes):
    fighting = installation.start_nodes(nodes, with_address=False)
    installation.start_worker("projections")
    with Writers(fighting, WRITERS) as load:
        load.wait_for(ACKNOWLEDGED)
    topic = compare(installation, load)
    figures = {
        "acknowledged": len({told.command for told in load.told}),
        "replays": sum(t.replayed for t in load.told),
        "refused": load.refused,
        "counted": len(topic.records),
        "void": len(topic.void),
    }
    logger.info("figures %s", figures)
    assert topic.void, "they did not fight"
    assert figures["acknowledged"] >= ACKNOWLEDGED
    assert len(topic.effects) == figures["acknowledged"] + load.prepared
    compare_read_models(installation, mongodb_uri, topic)
