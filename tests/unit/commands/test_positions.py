"""Positions that name several partitions."""

from hypothesis import given
from hypothesis import strategies as st

from commands.position import START, Position, parse_position

CHAINS = {sequence: bytes([sequence]) * 4 for sequence in range(10)}
positions = st.dictionaries(st.integers(0, 4), st.integers(0, 9)).map(
    lambda sequences: Position({number: (each, CHAINS[each]) for number, each in sequences.items()})
)


@given(positions, positions, positions)
def test_joining_is_the_least_position_that_includes_both(one, other, third):
    joined = one.join(other)
    assert joined == other.join(one)
    assert one.join(other.join(third)) == joined.join(third)
    assert one.join(one) == one == one.join(START)
    for partition in range(5):
        assert joined.sequence(partition) == max(one.sequence(partition), other.sequence(partition))
        assert joined.matches(CHAINS[joined.sequence(partition)] + bytes(28), partition)


@given(positions, positions)
def test_moving_takes_the_named_partitions_and_leaves_the_others(one, other):
    moved = one.moved(other)
    assert moved.partitions == {**one.partitions, **other.partitions}


@given(positions)
def test_a_token_names_every_partition(position):
    assert parse_position(position.token()) == position
    assert position.sequences == {number: place[0] for number, place in position.partitions.items()}
