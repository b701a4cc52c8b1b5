"""Each rule is needed: without it, a scenario breaks a promise that holds with it."""

from dataclasses import replace

import pytest

from tests.simulation import mutations, scenarios
from tests.simulation.mutations import Mutation
from tests.simulation.runs import Script, run
from tests.support.proof import size

_SEEDS = range(size(3, 30))

pytestmark = pytest.mark.proof("rules of the protocol, each taken out")

NEEDED: dict[Mutation, Script] = {
    mutations.without_chain_rule: scenarios.duel,
    mutations.without_contiguity: scenarios.duel,
    mutations.outcome_by_tip: scenarios.lost_batch,
    mutations.without_deduplication: scenarios.silent_batch,
    mutations.resume_unchecked: scenarios.other_past,
    mutations.refusals_at_once: scenarios.refused_in_vain,
    mutations.without_proof_of_the_end: scenarios.late_reader,
    mutations.unrecorded_refusal: scenarios.silent_forward,
    mutations.unrecorded_unchanged: scenarios.unchanged_forward,
    mutations.without_fence: scenarios.limbo,
    mutations.without_offsets_of_voids: scenarios.ghost,
    mutations.without_alarm_about_voids: scenarios.ghost,
}


@pytest.mark.parametrize("script", scenarios.SCENARIOS, ids=lambda script: script.__name__)
@pytest.mark.parametrize("seed", _SEEDS)
def test_the_protocol_passes(script, seed):
    assert run(replace(scenarios.SCENARIOS[script], seed=seed), script) == []


@pytest.mark.parametrize("mutation", NEEDED, ids=lambda mutation: mutation.__name__)
@pytest.mark.parametrize("seed", _SEEDS)
def test_without_a_rule_the_protocol_fails(mutation, seed):
    script = NEEDED[mutation]
    with mutation():
        problems = run(replace(scenarios.SCENARIOS[script], seed=seed), script)
    assert problems
