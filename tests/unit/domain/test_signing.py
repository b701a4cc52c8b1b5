from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ForbiddenError
from domain.signing import decider
from domain.signing.commands import RotateSigningKey
from domain.signing.events import SigningKeyRotated
from tests.unit.domain.people import ADMIN, OWNER

DELAY, LONGEST = 10, 100


def test_administrators_announce_the_next_generation():
    first = SigningKeyRotated(generation=2, at=5)
    assert decider.decide(decider.INITIAL, RotateSigningKey(at=5), ADMIN) == (first,)
    after = decider.evolve(decider.INITIAL, first)
    assert decider.decide(after, RotateSigningKey(at=7), ADMIN)[0].generation == 3
    with pytest.raises(ForbiddenError):
        decider.decide(decider.INITIAL, RotateSigningKey(at=5), OWNER)


@given(
    times=st.lists(st.integers(0, 400), max_size=6).map(sorted),
    signed=st.integers(0, 600),
    age=st.integers(0, LONGEST - 1),
)
def test_what_was_signed_is_good_for_as_long_as_it_may_live(times, signed, age):
    events = [SigningKeyRotated(generation=number, at=at) for number, at in enumerate(times, 2)]
    known = reduce(decider.evolve, [event for event in events if event.at <= signed], decider.INITIAL)
    generation = known.signs(signed, DELAY)
    later = reduce(decider.evolve, [event for event in events if event.at <= signed + age], decider.INITIAL)
    assert generation in later.verifies(signed + age, DELAY, LONGEST)


def test_a_generation_is_announced_before_it_signs_and_retires():
    rotated = decider.evolve(decider.INITIAL, SigningKeyRotated(generation=2, at=1_000))
    assert rotated.signs(1_005, DELAY) == 1
    assert rotated.verifies(1_005, DELAY, LONGEST) == (1, 2)
    assert rotated.signs(1_010, DELAY) == 2
    assert rotated.verifies(1_109, DELAY, LONGEST) == (1, 2)
    assert rotated.verifies(1_110, DELAY, LONGEST) == (2,)
