"""G6, G7: workers are killed, stopped and added under load; the read models are those of the history."""

import pytest

from tests.chaos.cluster.compare import compare, compare_read_models
from tests.chaos.cluster.writers import Writers
from tests.support.server import eventually

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(240),
    pytest.mark.proof("workers killed under load", rounds=5),
]

WRITERS = 3
SOME = 40
TAKES_OVER_SECONDS = 40.0


def test_read_models_are_those_of_the_history_whatever_becomes_of_workers(installation, mongodb_uri):
    nodes = installation.start_nodes(1)
    first = installation.start_worker("projections")
    with Writers(nodes, WRITERS) as load:
        _projects(nodes[0])
        load.wait_for(SOME)
        first.kill()
        second = installation.start_worker("projections")
        load.wait_for(SOME)
        third = installation.start_worker("projections")  # joins beside the second: a rebalance
        _projects(nodes[0])
        load.wait_for(SOME)
        second.pause()
        load.wait_for(SOME)
        _projects(nodes[0])  # by the third, or by the second's successor once its session is over
        second.resume()  # with a batch of long ago in its hands
        load.wait_for(SOME)
    topic = compare(installation, load, others=3)
    compare_read_models(installation, mongodb_uri, topic)
    assert third.running
    assert second.running


def _projects(node):
    """Wait until a query includes what was appended just now."""
    with node.client() as client:
        answer = client.post("/api/v1/projects", json={"name": "seen"})
        path, headers = (
            f"/api/v1/projects/{answer.json()['id']}",
            {"CodePark-After": answer.headers["CodePark-Position"]},
        )
        eventually(lambda: client.get(path, headers=headers).is_success, seconds=TAKES_OVER_SECONDS)
