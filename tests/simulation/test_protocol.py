"""Search for a run that breaks a promise; the full form (`make proof`) searches longer, from new seeds."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.simulation.faults import plans
from tests.simulation.runs import run
from tests.support.proof import FULL, size

pytestmark = pytest.mark.proof("protocol simulation")


@settings(
    max_examples=size(150, 10_000),
    derandomize=not FULL,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(plan=plans())
def test_every_promise_holds(plan):
    assert run(plan) == []


@settings(max_examples=size(5, 50), derandomize=True, deadline=None, database=None)
@given(plan=plans(clients=2, operations=4))
def test_a_plan_makes_one_run(plan):
    assert traced(plan) == traced(plan)


def traced(plan):
    """Return the kind of every answer, and its time."""
    seen = []

    async def script(world):
        from tests.simulation.clients import crowd

        await crowd(world)
        seen.extend((item.invoked, item.answered, item.outcome.__class__) for item in world.requests)

    run(plan, script)
    return seen
